"""Of what a command has written, and what comes next."""

PHRASES = {
    "terminal.report": "レポート: {path!s}",
    "terminal.card": "カード: {path!s}",
    "terminal.reports": "レポートと index.tsv: {path!s}",
    "terminal.no-pictures": "レポートに図がありません。理由はページにあります。",
    "terminal.face": "{path!s} には T1 として患者の顔が含まれています。フォルダーを患者データとして扱ってください。",
    "terminal.look": "この頭部で計画する前に {path!s} を確認してください。",
    "terminal.unanswered": "頭部を {path!s} に書き出しました。確認のためのもので、回答があるまで計画は行いません。",
    "terminal.next": "頭部を {path!s} に書き出しました。次: neuro-field plan {path!s} {aim!s} -o PLAN",
    "terminal.signed": "{path!s} を確認した人: {signed!s}。これから作る計画に示されます。頭部が変わると未確認に戻り"
    "ます。",
    "terminal.sign": '正しければ名前を記録してください: neuro-field head {path!s} --sign "氏名"',
    "terminal.ledger": "台帳を {path!s} に書き出しました。",
    "terminal.page": "ページ: {path!s}",
    "terminal.table": "表: {path!s}",
    "terminal.open": "{address!s} を開いてください。\n終了は Ctrl-C。このアドレスは鍵です。"
    "知っている人は頭部を見ることができます。通信は暗号化されません。",
    "terminal.stages": "所要時間: {stages!s}",
    "terminal.refused": "実行できません (理由は英語): {message!s}",
    "terminal.field": "電場: {path!s}",
    "terminal.map": "運動野マップ: {path!s}",
    "terminal.live": "ライブ電場: {path!s}",
    "terminal.no-live": "--live がないため、動かすたびに表示される電場は球としての推定です (neuro-field live 参照)。",
    "terminal.kept": "保存した位置と向きの保存先: {path!s}",
    "terminal.kept-session": "保存した位置と向き、および記録の保存先: {path!s}",
    "terminal.registration": "位置合わせ: 目印どうしのずれは {miss:.1f} mm です。",
    "terminal.scan-damaged": "ヘッダーが壊れた DICOM ファイル {damaged} 個を除きました。必要なら再度コピーを。",
    "terminal.scan-taken": "使用する画像: {series!s}、{kind!s}。患者の氏名、日付、番号は保存しません。",
    "terminal.scan-beside": "他の画像: {series!s}。",
    "terminal.labels-found": "既存のラベル: {path!s}、記録 {log!s}",
    "terminal.labels-made": "作成したラベル: {path!s}、記録 {log!s}",
}
