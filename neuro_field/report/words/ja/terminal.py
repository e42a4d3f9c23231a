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
}
