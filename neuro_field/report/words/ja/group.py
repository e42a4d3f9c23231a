"""The page of a group, and what a terminal says of a cohort."""

PHRASES = {
    "group.title": "集団のコイル配置と電場",
    "group.people": "参加者・セッション {people} 件、失敗 {failed} 件、未実行 {missing} 件",
    "group.failed": "失敗した参加者と理由",
    "group.who": "参加者",
    "group.why": "理由",
    "group.not-run": "未実行です",
    "group.column": "全員の値",
    "group.field_V_per_m": "標的の平均 |E|、1 A/µs あたり V/m",
    "group.matched_percent": "電場を合わせた出力、%",
    "group.first_share": "配置が 1 位に留まる試行の割合",
    "group.from_rule_mm": "より良い経験則からの距離、mm",
    "group.rule_share": "その経験則の電場 (最良に対する割合)",
    "group.target_from_hot_spot_mm": "標的から最強の電場まで、mm",
    "group.coil_cortex_mm": "コイルから皮質まで、mm",
    "group.target_moved_mm": "標的の初期位置からの移動、mm",
    "group.lost_share": "病変で失われた標的の割合",
    "group.lesion_cm3": "病変、cm³",
    "group.offset": "MNI152 における標的の初期位置からのずれ、そのままの向き (n = {n}): 右 {x:+.1f} ± {sx:.1f}、前 "
    "{y:+.1f} ± {sy:.1f}、上 {z:+.1f} ± {sz:.1f} mm。",
    "group.offset-turned": "患側半球を左にそろえた場合 (n = {n}): 右 {x:+.1f} ± {sx:.1f}、前 {y:+.1f} ± {sy:.1f}、"
    "上 {z:+.1f} ± {sz:.1f} mm。",
    "group.maps": "集団のマップ",
    "group.approximate": "FreeSurfer の表面がない場合と、頭部を左右反転する場合、fsaverage5 の頂点は MNI152 "
    "への写像で対応させるため近似です。"
    "頂点と本人の皮質中央との距離は各マップの付属ファイルにあります。",
    "group.map": "マップ",
    "group.kind-mean": "|E| の平均",
    "group.kind-variance": "|E| の分散",
    "group.kind-overlap": "その場所を覆う病変の割合",
    "group.turned": "患側を左にそろえる",
    "group.file": "ファイル",
    "group.yes": "はい",
    "group.no": "いいえ",
    "group.montage": "すべての計画",
    "cohort.begun": "参加者・セッション {people} 件、残り {left} 件。",
    "cohort.dask": "Dask: ワーカー {workers} 個、メモリ上限 各 {gigabytes:.1f} GB。ダッシュボード: {dashboard!s}",
    "cohort.failed": "{who!s} 失敗: {reason!s}",
    "cohort.ended": "完了 {done} 件 (うち以前に {kept} 件)、失敗 {failed} 件。ログ: {path!s}",
    "cohort.submit": "{path!s} を書き出しました。投入はしていません。投入: sbatch {path!s}",
    "cohort.then-group": "次: {command!s}",
}
