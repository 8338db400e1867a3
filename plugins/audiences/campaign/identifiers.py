"""The one table of identifiers: what Facebook can recognise a person by, and all that depends on which identifier it is.

The names in campaign files and in the catalog, Facebook's keys and their order, what may be shown of a value, what
`audiences catalog init` takes a column for: all of it is read from here. How a value is read cannot lie here, since this
room knows no other: the rules are in `audiences/what/identifiers/rules.py`, and importing them fails for a name that has
none. The sandbox keeps a list of its own on purpose, as the witness of what Facebook takes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ColumnKind = Literal["text", "whole number", "decimal", "date", "uuid"]
_MOST_KEYS: Final = 62
"""The numbers of a row's keys are the bits of one signed number of 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An identifier of a user. What a new entry leaves out stands for the careful side.

    `keys` are the columns of a request that it fills, each with the number by which ledgers store it: numbers also give the
    order of the keys, are never used again, and never changed. `columns` are the kinds of columns that can hold it.
    `identifying`: a value alone is enough to find the person, so a row with it is worth sending, the users' key may not be
    such a column, and an erasure looks for it everywhere. `contact`: a campaign needs one of these, and each that the catalog
    maps brings the property `has_…`. `own_id`: the id that the shop itself gave; it may have any form, a hash too, and may
    be the users' key.

    `private`: wherever people look at values, one of this is masked, and `audiences catalog init` offers it to no
    campaign as a property. `common`: so many people share a value that the catalog's commands may list the values.

    `by_country`: its rule depends on the user's country. `repeats`: few distinct values in many rows, so that each is hashed
    once, and not even the beginning of a hash is shown. `short_words`: `na`, `nan` and `nil` may be somebody's true value.

    `usual_names` are how columns that hold it are often called, the likeliest first, in small letters and digits only.
    `aliases` are other names by which `audiences normalise` knows it.
    """

    name: str
    keys: Mapping[str, int]
    means: str
    columns: tuple[ColumnKind, ...]
    identifying: bool
    hashed: bool = True
    contact: bool = False
    own_id: bool = False
    private: bool = True
    common: bool = False
    by_country: bool = False
    repeats: bool = False
    short_words: bool = False
    usual_names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def names_a_person(self) -> bool:
        """Whether a raw value says who it is to anybody, which an id of the shop's own does not."""
        return self.identifying and not self.own_id


def table(fields: Iterable[Field]) -> dict[str, Field]:
    """The fields by name, in the order of their numbers; raises ValueError for a table that contradicts itself."""
    listed = sorted(fields, key=lambda field: min(field.keys.values()))
    names = Counter(name for field in listed for name in (field.name, *field.aliases))
    if twice := [name for name, count in names.items() if count > 1]:
        message = f"identifiers: {', '.join(twice)} is in the table more than once"
        raise ValueError(message)
    numbers: dict[int, str] = {}
    hashed: dict[str, bool] = {}
    for field in listed:
        if field.common and (field.private or field.identifying):
            message = f"identifier `{field.name}` is `common`, so it can be neither `private` nor `identifying`"
            raise ValueError(message)
        for key, number in field.keys.items():
            if not 1 <= number <= _MOST_KEYS or numbers.setdefault(number, key) != key:
                free = next(each for each in range(1, _MOST_KEYS + 1) if each not in numbers)
                message = (
                    f"identifier `{field.name}`: {key} cannot have the number {number}; give it one of its own, {free}"
                )
                raise ValueError(message)
            if hashed.setdefault(key, field.hashed) != field.hashed:
                message = f"identifier `{field.name}`: {key} is hashed in one entry of the table and not in another"
                raise ValueError(message)
    if twice := [key for key, count in Counter(numbers.values()).items() if count > 1]:
        message = f"identifiers: {', '.join(twice)} has more than one number"
        raise ValueError(message)
    return {field.name: field for field in listed}


FIELDS: Final = table(
    (
        Field(
            name="email",
            keys={"EMAIL": 1},
            means="E-mail address.",
            columns=("text",),
            identifying=True,
            contact=True,
            usual_names=("email", "emailaddress", "mail", "mailaddress", "useremail", "customeremail", "contactemail"),
        ),
        Field(
            name="phone",
            keys={"PHONE": 2},
            means="Phone number.",
            columns=("text", "whole number", "decimal"),
            identifying=True,
            contact=True,
            by_country=True,
            usual_names=(
                *(
                    "phone",
                    "phonenumber",
                    "mobile",
                    "mobilephone",
                    "mobilenumber",
                    "msisdn",
                    "cell",
                    "cellphone",
                    "tel",
                ),
                *("telephone", "userphone", "customerphone"),
            ),
        ),
        Field(
            name="external_id",
            keys={"EXTERN_ID": 3},
            means="Your own id of the user.",
            columns=("text", "whole number", "decimal", "uuid"),
            identifying=True,
            hashed=False,
            own_id=True,
        ),
        Field(
            name="first_name",
            keys={"FN": 4},
            means="First name.",
            columns=("text",),
            identifying=False,
            repeats=True,
            short_words=True,
            usual_names=("firstname", "givenname", "forename", "fname"),
        ),
        Field(
            name="last_name",
            keys={"LN": 5},
            means="Last name.",
            columns=("text",),
            identifying=False,
            repeats=True,
            short_words=True,
            usual_names=("lastname", "surname", "familyname", "lname"),
        ),
        Field(
            name="city",
            keys={"CT": 6},
            means="City.",
            columns=("text",),
            identifying=False,
            private=False,
            common=True,
            repeats=True,
            short_words=True,
            usual_names=("city", "town"),
        ),
        Field(
            name="region",
            keys={"ST": 7},
            means="State, province or region.",
            columns=("text",),
            identifying=False,
            private=False,
            common=True,
            by_country=True,
            repeats=True,
            short_words=True,
            usual_names=("region", "state", "province", "stateprovince"),
            aliases=("state",),
        ),
        Field(
            name="zip",
            keys={"ZIP": 8},
            means="Postal code.",
            columns=("text", "whole number", "decimal"),
            identifying=False,
            private=False,
            by_country=True,
            repeats=True,
            usual_names=("zip", "zipcode", "postalcode", "postcode"),
        ),
        Field(
            name="country",
            keys={"COUNTRY": 9},
            means="Country, as a name or an ISO code.",
            columns=("text",),
            identifying=False,
            private=False,
            common=True,
            repeats=True,
            short_words=True,
            usual_names=("country", "countrycode", "countryname"),
        ),
        Field(
            name="date_of_birth",
            keys={"DOBY": 10, "DOBM": 11, "DOBD": 12},
            means="Date of birth.",
            columns=("text", "whole number", "date"),
            identifying=False,
            private=False,
            repeats=True,
            usual_names=("dateofbirth", "dob", "birthdate", "birthday", "birthdt", "born"),
            aliases=("dob",),
        ),
        Field(
            name="year_of_birth",
            keys={"DOBY": 10},
            means="Year of birth, where no whole date is known.",
            columns=("text", "whole number", "decimal"),
            identifying=False,
            repeats=True,
            usual_names=("yearofbirth", "birthyear", "yob"),
            aliases=("doby",),
        ),
        Field(
            name="month_of_birth",
            keys={"DOBM": 11},
            means="Month of birth, as a number or an English name.",
            columns=("text", "whole number", "decimal"),
            identifying=False,
            repeats=True,
            usual_names=("monthofbirth", "birthmonth"),
            aliases=("dobm",),
        ),
        Field(
            name="day_of_birth",
            keys={"DOBD": 12},
            means="Day of the month of birth.",
            columns=("text", "whole number", "decimal"),
            identifying=False,
            repeats=True,
            usual_names=("dayofbirth",),
            aliases=("dobd",),
        ),
        Field(
            name="gender",
            keys={"GEN": 13},
            means="Gender.",
            columns=("text",),
            identifying=False,
            private=False,
            common=True,
            repeats=True,
            usual_names=("gender", "sex"),
        ),
        Field(
            name="madid",
            keys={"MADID": 14},
            means="Advertising id of a device.",
            columns=("text", "uuid"),
            identifying=True,
            hashed=False,
            usual_names=("madid", "advertisingid", "idfa", "gaid", "aaid"),
        ),
        Field(
            name="first_initial",
            keys={"FI": 15},
            means="First letter of the first name, where the name is not known.",
            columns=("text",),
            identifying=False,
            repeats=True,
            short_words=True,
            usual_names=("firstinitial", "initial"),
        ),
    )
)

if TYPE_CHECKING:
    Identifier = str  # a type checker cannot read names from a table
else:
    Identifier = Literal[tuple(FIELDS)]

BY_ANY_NAME: Final = {name: field for field in FIELDS.values() for name in (field.name, *field.aliases)}
CONTACTS: Final = tuple(field.name for field in FIELDS.values() if field.contact)
"""The identifiers of which a campaign needs one."""
