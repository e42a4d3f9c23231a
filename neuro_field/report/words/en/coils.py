"""Of the page of coils."""

PHRASES = {
    "coils.title": "Coils",
    "coils.compared": "Compared",
    "coils.coil": "Coil",
    "coils.slope": "Largest dI/dt, A/µs",
    "coils.field-15": "|E| at 15 mm, V/m",
    "coils.field-20": "|E| at 20 mm, V/m",
    "coils.half-depth": "d½, cm",
    "coils.spread": "S½, cm²",
    "coils.first": "Current first runs",
    "coils.away": "away from the handle",
    "coils.towards": "towards the handle",
    "coils.ring": "in a ring",
    "coils.about": "|E|: primary field below the middle of the face at 1 A/µs, of a circular coil where it is "
    "strongest; in brackets at the largest dI/dt. d½ and S½: half-value depth and spread in the spherical head of "
    "Deng 2013, in brackets as published. The current first runs so while the coil current rises.",
    "coils.alt": "{name!s}: winding, casing, handle and first induced current, seen from behind and above",
    "coils.key": "Blue: induced current under the coil while the coil current (brown cones) rises.",
}
