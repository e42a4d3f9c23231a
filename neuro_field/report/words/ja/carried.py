"""What presets, sites and tissues carry, by their English; sources of papers stay as they are."""

_TYPED = "発表されていない: 使う人が入力すること"

TEXTS = {
    # why there are no 10-10 positions
    "they cannot be laid out on this head": "この頭部では 10-10 法の位置を決められない",
    "the plan holds nothing of the head": "計画に頭部の情報がない",
    "they were not asked for": "求められていない",
    # steps of cleaning
    "one brain": "脳を一つに",
    "smoothing": "平滑化",
    "islands": "島の除去",
    "holes in the dura": "硬膜の穴",
    "CSF layer": "脳脊髄液の層",
    "skull layer": "頭蓋骨の層",
    "scalp layer": "頭皮の層",
    "islands again": "島の除去 (再)",
    "one head again": "頭部を一つに (再)",
    # titles of presets
    "1 Hz over the hand area of the contralesional hemisphere": "健側大脳半球の手の運動野に 1 Hz",
    "1 Hz contralesional and 10 Hz ipsilesional over the hand areas": "手の運動野に、健側大脳半球 1 Hz と病側大脳半球 "
    "10 Hz",
    "10 Hz over the hand area of the ipsilesional hemisphere": "病側大脳半球の手の運動野に 10 Hz",
    "intermittent theta burst over the hand area of the ipsilesional hemisphere": "病側大脳半球の手の運動野に"
    "間欠的シータバースト",
    "1 Hz over the language area opposite the fMRI-dominant hemisphere": "fMRI での言語優位半球と反対側の言語野に 1 Hz",
    "10 Hz over both leg areas at once": "両側の下肢の運動野に同時に 10 Hz",
    "3 Hz over both pharyngeal areas": "両側の咽頭の運動野に 3 Hz",
    "dorsolateral prefrontal cortex": "背外側前頭前野",
    "a target chosen by hand": "使う人が選んだ目標部位",
    # which side a preset stimulates
    "contralesional": "健側大脳半球",
    "ipsilesional": "病側大脳半球",
    "both": "両側",
    "not dominant": "言語優位でない側",
    "asked": "使う人が選ぶ",
    "given": "指定された目標部位の側",
    # frequencies
    "1 Hz contralesional, 10 Hz ipsilesional": "健側大脳半球 1 Hz、病側大脳半球 10 Hz",
    "10 Hz [src], trains of 10 s with 50 s pauses [lit]": "10 Hz [src]、10 秒の連続刺激と 50 秒の休止 [lit]",
    "50 Hz triplets every 200 ms, 2 s on, 8 s off": "50 Hz の 3 連発を 200 ms ごと、2 秒刺激し 8 秒休止",
    "10 Hz [src], trains of 10 s [lit]": "10 Hz [src]、10 秒の連続刺激 [lit]",
    "not published: the user must type it": _TYPED,
    # pulses
    "1200 in 20 min [src]": "20 分で 1200 回 [src]",
    "2000 per side in 40 min [src]": "40 分で片側 2000 回 [src]",
    "1000 [lit]": "1000 回 [lit]",
    "600": "600 回",
    "2400 in 40 min [src]": "40 分で 2400 回 [src]",
    "2000 [src]": "2000 回 [src]",
    # courses
    "22 sessions in 15 days, 2 a day [src]; 6-day variant: 10 sessions [src]": "15 日で 22 回、1 日 2 回 [src]。"
    "6 日間の方式では 10 回 [src]",
    "10 sessions in 15 days [src]": "15 日で 10 回 [src]",
    "5 days [src]": "5 日間 [src]",
    "10 sessions in 11 days [src]": "11 日で 10 回 [src]",
    "20 sessions in 13 days [src]": "13 日で 20 回 [src]",
    "10 sessions in 6 days [src]": "6 日で 10 回 [src]",
    # notes and sources of presets
    "90 % rMT of the unaffected first dorsal interosseous [lit]; figure-8 70 mm [lit]": "非麻痺側の第一背側骨間筋 "
    "(FDI) の rMT の 90 % [lit]、70 mm の8の字コイル [lit]",
    "90 % rMT [lit]": "rMT の 90 % [lit]",
    "90 % rMT": "rMT の 90 %",
    "IFG if non-fluent, STG if fluent; on the side opposite the fMRI-dominant hemisphere, not always right [src]; 90 % "
    "rMT [lit]": "非流暢型では下前頭回、流暢型では上側頭回。fMRI での言語優位半球と反対側で、"
    "いつも右とは限らない [src]。rMT の 90 % [lit]",
    "leg M1, both sides at once [src]; double cone [src]; 90 % rMT [lit]": "下肢の一次運動野、両側同時 [src]。"
    "ダブルコーンコイル [src]。rMT の 90 % [lit]",
    "130 % rMT [lit, uncertain]": "rMT の 130 % [lit、不確か]",
    "generic iTBS, Huang 2005 [lit]": "一般的な iTBS、Huang 2005 [lit]",
    "no published protocol of such a programme was found": "このようなプログラムの発表されたプロトコルは"
    "見つからなかった",
    "chosen by the user": "使う人が選んだもの",
    # titles of sites
    "primary motor cortex, hand": "一次運動野 (手)",
    "primary motor cortex, leg": "一次運動野 (下肢)",
    "primary motor cortex, pharynx": "一次運動野 (咽頭)",
    "inferior frontal gyrus, pars triangularis": "下前頭回三角部",
    "inferior frontal gyrus, pars opercularis": "下前頭回弁蓋部",
    "superior temporal gyrus, posterior": "上側頭回後部",
    "superior temporal gyrus, lateral": "上側頭回外側部",
    "supplementary motor area": "補足運動野",
    "dorsal premotor cortex": "背側運動前野",
    "lateral cerebellum": "小脳外側部",
    # sources and notes of sites
    "Mayka 2006 mean [lit]": "Mayka 2006 の平均 [lit]",
    "paracentral parcel [calc]": "中心傍小葉の区画 [calc]",
    "subcentral parcel [calc]": "中心下の区画 [calc]",
    "MRI target of the 100-head Beam-F3 study [src]": "100 名の Beam-F3 研究の MRI 目標 [src]",
    "[lit], approximate": "[lit]、おおよその値",
    "a fixed coordinate was up to 19.5 mm off the hot spot and worked in 3 of 6 people [src]": "固定の座標はホットスポ"
    "ットから最大 19.5 mm ずれ、6 名中 3 名でしか有効でなかった [src]",
    "across the central sulcus, handle back-lateral about 45 degrees to the midline (Brasil-Neto 1992 [src])": "中心溝"
    "を横切り、ハンドルは正中に対し約 45 度で後ろ外側へ (Brasil-Neto 1992 [src])",
    "tibialis hot spot 1.29 cm lateral, 0.55 cm behind the vertex [src]; no current direction is published for a "
    "double "
    "cone": "前脛骨筋のホットスポットは頭頂から外側へ 1.29 cm、後ろへ 0.55 cm [src]。"
    "ダブルコーンコイルの電流の向きは発表されていない",
    "scalp 10.4 cm lateral + 3.2 cm anterior of the vertex (left), 9.65 + 3.18 (right) [src]": "頭皮上で頭頂から外側へ "
    "10.4 cm、前へ 3.2 cm (左)、9.65 cm と 3.18 cm (右) [src]",
    "stimulating it helped naming, pars opercularis slowed it (Naeser 2011 [src])": "ここへの刺激は呼称を助け、"
    "弁蓋部への刺激は遅くした (Naeser 2011 [src])",
    "a region to avoid when aiming at pars triangularis": "三角部を目標にするとき避ける領域",
    "stimulated on the paretic side": "麻痺側を刺激する",
    # sources of conductivities
    "SimNIBS standard (Wagner 2004; Opitz 2015)": "SimNIBS の標準値 (Wagner 2004; Opitz 2015)",
    "IT'IS database [lit]": "IT'IS データベース [lit]",
    "chronic cavity as CSF; no established value; [lit] range 0.275-1.654": "慢性期の空洞は脳脊髄液と同じとした。"
    "確立した値はない。[lit] 範囲 0.275-1.654",
    "gliotic rim as grey matter, [lit] 0.275-1.0; no established value; [lit] range 0.275-1.654": "グリオーシスの病変周"
    "囲は灰白質と同じとした、[lit] 0.275-1.0。確立した値はない。[lit] 範囲 0.275-1.654",
    "acute ischaemia as 0.8 x grey matter, [lit] 0.7-0.9; no established value; [lit] range 0.275-1.654": "急性期虚血は"
    "灰白質の 0.8 倍とした、[lit] 0.7-0.9。確立した値はない。[lit] 範囲 0.275-1.654",
}
