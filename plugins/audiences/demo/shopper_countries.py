"""Where the sample shop's invented customers live, and what they are called there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A country and its share of the customers; names are invented, with the accents and blanks of real ones."""

    code: str
    name: str
    share: float
    cities: tuple[str, ...]
    female: tuple[str, ...]
    male: tuple[str, ...]
    last: tuple[str, ...]


COUNTRIES = (
    Country(
        code="US",
        name="United States",
        share=0.38,
        cities=("New York", "Austin", "San Francisco", "St. Louis", "Chicago", "Seattle", "Winston-Salem"),
        female=("Mara", "Della", "Junie", "Orla", "Tess", "Willa", "Mary Ann", "Roxie"),
        male=("Cole", "Dexter", "Hank", "Jonah", "Rufus", "Wade", "Elmer", "Beau"),
        last=("Ashdale", "Brackwood", "Carrowell", "Dunmarsh", "Elverstone", "O'Farrowby", "Hollowmere", "Quimbold"),
    ),
    Country(
        code="IN",
        name="India",
        share=0.20,
        cities=("Mumbai", "New Delhi", "Bengaluru", "Chennai", "Pune", "Hyderabad"),
        female=("Anvira", "Deepmala", "Ishani", "Kavanya", "Meeravi", "Sunayna"),
        male=("Arvaan", "Dhruvan", "Kirtan", "Nakshan", "Rohaan", "Vihaan"),
        last=("Chandravel", "Devkaran", "Joshivar", "Malhorani", "Patelwar", "Suryavan"),
    ),
    Country(
        code="GB",
        name="United Kingdom",
        share=0.15,
        cities=("London", "Leeds", "Bristol", "Stoke-on-Trent", "Edinburgh", "Cardiff"),
        female=("Aoife", "Bryony", "Cerys", "Flora", "Imogen", "Siân"),
        male=("Alistair", "Bram", "Crispin", "Fergus", "Ivor", "Llew"),
        last=("Applethwaite", "Birchcombe", "Fernsby-Gill", "Larkhollow", "Penhallowick", "Wetherbourne"),
    ),
    Country(
        code="DE",
        name="Germany",
        share=0.10,
        cities=("Berlin", "München", "Köln", "Düsseldorf", "Hamburg", "Frankfurt am Main"),
        female=("Anneliese", "Frauke", "Jördis", "Käthe", "Ulrike", "Zoë"),
        male=("Bärnd", "Enno", "Götz", "Jürgen", "Lasse", "Veit"),
        last=("Äckerlein", "Brömmelkamp", "Grünwaldner", "von Hasselbrook", "Müllenstedt", "Weißenbach"),
    ),
    Country(
        code="BR",
        name="Brazil",
        share=0.09,
        cities=("São Paulo", "Rio de Janeiro", "Belo Horizonte", "Brasília", "Curitiba"),
        female=("Antônia", "Conceição", "Inês", "Letícia", "Thaíssa"),
        male=("Caê", "Estêvão", "João Pedro", "Lourenço", "Ubirajá"),
        last=("Albuquerqueira", "da Conceiçãozinha", "Gonçalvinho", "Mourãozeiro", "Patativeira"),
    ),
    Country(
        code="FR",
        name="France",
        share=0.08,
        cities=("Paris", "Lyon", "Marseille", "Saint-Étienne", "Aix-en-Provence"),
        female=("Anaëlle", "Célestine", "Églantine", "Héloïse", "Maëlys"),
        male=("Aurélien", "Björn-Luc", "Côme", "Gaël", "Théodule"),
        last=("Beaucastelet", "D'Argenvallon", "Fontbrûlée", "Montpelleret", "Saint-Aubrac"),
    ),
)
