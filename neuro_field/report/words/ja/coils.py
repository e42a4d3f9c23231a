"""Of the page of coils."""

PHRASES = {
    "coils.title": "コイル",
    "coils.compared": "比較",
    "coils.coil": "コイル",
    "coils.slope": "最大 dI/dt、A/µs",
    "coils.field-15": "15 mm での |E|、V/m",
    "coils.field-20": "20 mm での |E|、V/m",
    "coils.half-depth": "半値深さ d½、cm",
    "coils.spread": "広がり S½、cm²",
    "coils.first": "最初の誘導電流の向き",
    "coils.away": "ハンドルから離れる向き",
    "coils.towards": "ハンドルへ向かう向き",
    "coils.ring": "輪のように流れる",
    "coils.about": "|E|: 1 A/µs での面の中央の下の一次電場。円形コイルでは最も強い所。かっこ内は最大 dI/dt での値。d"
    "½ と S½: Deng 2013 の球形の頭部での半値深さと広がり。かっこ内は発表された値。誘導電流の向きはコイル電流が増える"
    "ときのもの。",
    "coils.alt": "{name!s}: 後ろ上から見た巻線、外装、ハンドル、最初の誘導電流",
    "coils.key": "青: コイル電流 (茶色の円錐) が増えるときの、コイルの下の誘導電流。",
}
