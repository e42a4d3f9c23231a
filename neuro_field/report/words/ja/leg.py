"""Of both legs at once: how evenly one coil reaches them, and how it is held."""

_BOTH = (
    "一つのコイルで両側の{site}を同時に刺激します。1 A/µs で{weaker_side} {weaker:.3f} V/m (順位はこの値でつけます)、"
    "{stronger_side} {stronger:.3f} V/m です"
)

SENTENCES = {
    "leg-even": _BOTH + " (弱い側は強い側の {share:.0%})。",
    "leg-uneven": _BOTH + "。{weaker_side}は反対側の {share:.0%} しかなく、{wanted:.0%} に達しません。"
    "左右それぞれの刺激も検討してください。",
    "leg-no-orientation": "ダブルコーンコイルで下肢の運動野を刺激するときの電流の向きは発表されていません。"
    "順位は向きによらず |E| でつけています。通常は頭頂に置き、ハンドルを真後ろに向けます [lit]。"
    "足の領域に8の字コイルを使った報告では、最良の電流の向きは外側から前へ {axis:.0f} ± {spread:.0f}° でした (Richter "
    "2013, PLoS One 8:e60358、8名 [src])。",
    "leg-areas-overlap": "両側の{site}を同時に計画できません。{shared} 個の要素が両側の目標部位に属しています。"
    "一方の目標部位が ({moved:.1f} mm) もう一方の位置へ移動したためです。",
}
