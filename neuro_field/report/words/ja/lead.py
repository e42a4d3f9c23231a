"""Of the page on which a coil is led or followed, and of what trackers send."""

from collections.abc import Mapping

from neuro_field.findings import Value

#: Why a tracker has no pose of the coil.
_WHY = {
    "identity": "トラッカーが空の位置 (単位行列) を送っています",
    "null": "トラッカーが位置を送っていません",
    "blocked": "トラッカーがコイルは隠れていると伝えています",
    "reference": "頭部の基準マーカーが見えていません",
    "damaged": "届いた位置が 4x4 の数値ではありません",
    "lost": "記録のこの時点では見えていません",
}

_AXES = {
    "simnibs": "z は頭の中へ、ハンドルは -y",
    "brainsight": "z は頭の外へ、ハンドルは -y (Brainsight の軸)",
    "invesalius": "z は頭の外へ、ハンドルは -y (InVesalius のマーカーファイルの読み方)",
    "invesalius-x": "z は頭の外へ、ハンドルは -x",
    "navinibs": "z は頭の外へ、ハンドルは -y (NaviNIBS の軸)",
    "localite": "x は頭の中へ、ハンドルは +y (Localite の軸)",
    "softaxic": "z は頭の中へ、ハンドルは -x (SofTaxic の軸)",
}


def _not_seen(values: Mapping[str, Value]) -> str:
    return f"コイルが見えません: {_WHY.get(str(values['why']), 'トラッカーは理由を伝えていません')}。"


def _in_image(values: Mapping[str, Value]) -> str:
    told = "ファイル" if values["kind"] == "replay" else "送信側"
    return (
        f"座標系: 位置は{told}のとおり画像の座標 (T1 のワールド座標 {{space}}、mm) として読みます。"
        f"コイルの軸: {_AXES[str(values['axes'])]}。一度コイルを持ち上げ、"
        f"ここのハンドルが手元と同じ向きか確かめてください。"
    )


def _registered(values: Mapping[str, Value]) -> str:
    return (
        "座標系: 位置はトラッカーの座標、または頭部の基準マーカーに対して届き、目印により画像に合わせま"
        "す (目印のずれ "
        f"{{error:.1f}} mm)。コイルの軸: {_AXES[str(values['axes'])]}。一度コイルを持ち上げ、ここのハン"
        "ドルが手元と同じ向きか確かめてください。"
    )


def _tools(values: Mapping[str, Value]) -> str:
    held = "{met}" if values["met"] else "なし"
    return f"コイルはトラッカーのどのツールですか。届いているもの: {held}。--follow の最後に名前を書いてください。"


SENTENCES = {
    "track-nothing-yet": "トラッカーからコイルの位置はまだ届いていません。",
    "track-not-seen": _not_seen,
    "track-silent": "コイルが見えません: トラッカーから {seconds:.1f} 秒間何も届いていません。",
    "track-late": "コイルが見えません: トラッカーから届くものは {seconds:.1f} 秒前のものです。時計を変えた場合は、"
    "このページを起動し直してください。",
    "track-no-connection": "{host} のポート {port} から応答がありません。トラッカーのサーバーは動いていますか。",
    "track-connection-ended": "トラッカーが接続を終えました。接続し直しています。",
    "track-damaged": "届いたものは {kind} の形式でないか、途中で壊れています。ポートとプログラムを確かめてください。",
    "track-no-tool": "トラッカーは {tool} というツールを送っていません。",
    "track-which-tool": _tools,
    "track-port-taken": "ポート {port} は他のプログラムが使用中のため、InVesalius が接続できません。"
    "そちらを終了してください。",
    "track-replay-ended": "記録は終わりです。",
    "track-mirrored": "拒否しました: 位置が鏡像です (軸が左手系)。送信側で軸の1本が逆向きです。",
    "track-not-rigid": "拒否しました: 位置が剛体でありません (軸のずれ {off:.3f})。拡大、せん断、"
    "または単位の違いです。",
    "track-metres": "拒否しました: コイルが原点から {far:.3f} mm になり、メートル単位と思われます。"
    "ミリメートルで送ってください。",
    "track-unregistered": "拒否しました: トラッカーはツールの位置だけを送っています。"
    "触れた目印を --registration で与えてください。",
    "track-system": "拒否しました: 送信側の座標系 {system} はこの画像に合わせられません。",
    "track-system-needs-image": "拒否しました: 送信側の座標系 {system} は読み込んだ T1 によります。"
    "--image を与えてください。",
    "track-looks-away": "拒否しました: コイルが頭と反対を向いています。軸が逆か、位置合わせが誤っています。",
    "track-off-scalp": "コイルから {reach:.0f} mm 以内の正面に頭皮がありません。",
    "track-inside": "拒否しました: コイルの面が頭皮の {depth:.1f} mm 内側になります。"
    "位置合わせとコイルの較正を確かめてください。",
    "track-frames-image": _in_image,
    "track-frames-registered": _registered,
    "track-untried": "{kind} は未試験です: 公開されているプログラムの送受信をもとに作り、"
    "{kind} 本体では試していません。頼る前に、ここの位置をナビゲーターの表示と比べてください。",
    "track-invesalius-axes": "InVesalius のコイルのハンドルがどの軸かは、公開の資料により 90° 異なります。"
    "ここのハンドルが手元と直交していたら、axes=invesalius-x を付けて (または外して) 追跡してください。",
    "lead-slow": "コイルを表示していません: このコンピューターの処理が追いついていません。",
    "lead-broken": "このページは故障し、もう何も表示しません。neuro-field serve を起動し直してください。",
    "lead-no-scalp": "コイルを移せる頭皮がそこにはありません。",
    "lead-not-solved": "この位置は正確に計算できませんでした。コイルの一部が頭の中に入っている可能性があります。",
    "lead-nothing-to-save": "保存できる位置がありません: コイルが見えません。",
    "lead-not-saved": "保存できませんでした: フォルダーに書き込めません。",
}

PHRASES = {
    "lead.page": "コイルを動かす",
    "lead.field-in": "目標部位の電場",
    "lead.volts": "V/m",
    "lead.at-slope": "1 A/µs での値",
    "lead.live": "ライブ: この患者自身の電場 (モードによる)",
    "lead.guess": "推測: この頭部の代わりに球で計算",
    "lead.exact": "正確: 完全に計算",
    "lead.unknown": "電場は表示しません: ライブ電場はここのコイルを知りません",
    "lead.solving": "完全に計算中…",
    "lead.wait": "コイルが止まると完全に計算します",
    "lead.difference": "直前の表示との差",
    "lead.none": "見えません",
    "lead.share": "計画した最良に対して",
    "lead.rank": "順位",
    "lead.of-tried": "/ 試した数:",
    "lead.rank-note": "計画で試した位置と向きの中での順位",
    "lead.aim": "計画した位置まで",
    "lead.planned": "計画",
    "lead.along": "頭皮に沿って",
    "lead.handle-off": "ハンドル",
    "lead.tilt": "傾き",
    "lead.gap": "頭皮とのすき間",
    "lead.gap-planned": "計画",
    "lead.clockwise": "時計回り",
    "lead.counter": "反時計回り",
    "lead.right": "右",
    "lead.left": "左",
    "lead.front": "前",
    "lead.back": "後ろ",
    "lead.top": "上",
    "lead.bottom": "下",
    "lead.target": "目標部位",
    "lead.scale": "(脳表面、1 A/µs)",
    "lead.turn": "回す",
    "lead.how": "頭部をタップするか、コイルをドラッグします。矢印キーで頭皮に沿って動かし (Shift を押しながらで 5 倍)、"
    "コンマとピリオドで回します。コイル以外をドラッグすると見る向きが変わります。",
    "lead.how-follow": "コイルを追跡しています。ドラッグで見る向きを変えます。",
    "lead.view-left": "左から",
    "lead.view-right": "右から",
    "lead.view-front": "前から",
    "lead.view-back": "後ろから",
    "lead.view-above": "上から",
    "lead.view-along-coil": "コイルに沿って",
    "lead.save": "この位置を保存",
    "lead.saved": "保存しました",
    "lead.in-folder": "フォルダー:",
    "lead.following": "追跡中",
    "lead.details": "位置の詳細",
    "lead.place": "中心の下の頭皮",
    "lead.direction": "ハンドル",
    "lead.centre": "中心",
    "lead.lift": "すき間を超えて頭皮から離れた距離",
    "lead.matrix": "head_from_coil、mm、頭部座標系",
    "lead.statistic": "統計量",
    "lead.coil": "コイル",
    "lead.no-1010": "この頭部には 10-10 法の位置がありません",
    "lead.loading": "頭部を読み込んでいます…",
    "lead.no-key": "このアドレスには鍵がないか、別の起動の鍵です。"
    "neuro-field serve が表示したアドレスを開いてください。",
    "lead.gone": "neuro-field から応答がないため、何も表示しません。動いていますか。",
    "lead.no-webgl": "このブラウザーには WebGL がなく、頭部を表示できません。",
}

SHORT = {
    "lead-broken": "故障: neuro-field serve を起動し直してください。",
    "lead-no-scalp": "そこに頭皮がありません。",
    "lead-not-saved": "保存できません: フォルダーに書き込めません。",
    "lead-not-solved": "正確に計算できません: 頭の中に入っている可能性。",
    "lead-nothing-to-save": "保存できません: コイルが見えません。",
    "lead-slow": "表示なし: 処理が追いついていません。",
    "track-connection-ended": "見えません: トラッカーが接続を終えました。",
    "track-damaged": "見えません: {kind} の形式ではありません。",
    "track-inside": "拒否: コイルが頭皮の {depth:.1f} mm 内側。",
    "track-invesalius-axes": "InVesalius のハンドルの軸は不確か。手元と比べること。",
    "track-late": "見えません: {seconds:.1f} 秒前のものです。",
    "track-looks-away": "拒否: コイルが頭と反対を向いています。",
    "track-metres": "拒否: メートル単位と思われます。",
    "track-mirrored": "拒否: 位置が鏡像です。",
    "track-no-connection": "見えません: ポート {port} から応答なし。",
    "track-no-tool": "見えません: ツール {tool} がありません。",
    "track-not-rigid": "拒否: 位置が剛体でありません。",
    "track-not-seen": "トラッカーからコイルが見えません。",
    "track-off-scalp": "コイルの前 {reach:.0f} mm に頭皮がありません。",
    "track-port-taken": "ポート {port} は使用中です。",
    "track-silent": "見えません: {seconds:.1f} 秒間何も届きません。",
    "track-system": "拒否: 座標系 {system} は画像に合いません。",
    "track-system-needs-image": "拒否: 座標系 {system} には --image が必要。",
    "track-unregistered": "拒否: ツールだけなら --registration が必要。",
    "track-untried": "{kind} は未試験。ナビゲーターの位置と比べること。",
    "track-which-tool": "コイルはどのツールですか。",
}
