"""The one table of identifiers: what Facebook can recognise a person by, and all that depends on which identifier it is.

The names in campaign files and in the catalog, Facebook's keys and their order, what may be shown of a value, what
`audiences catalog init` takes a column for: all of it is read from here. How a value is read cannot lie here, since this
room knows no other: the rules are in `audiences/what/identifiers/rule_table.py`, and importing them fails for a name that has
none. The sandbox keeps a list of its own on purpose, as the witness of what Facebook takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from audiences.campaign.identifier_fields import Field, table

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
            read_as="phone",
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
            read_as="name",
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
            read_as="name",
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
            read_as="date",
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
            read_as="name",
            usual_names=("firstinitial", "initial"),
        ),
    )
)

if TYPE_CHECKING:
    Identifier = str  # a type checker cannot read names from a table
else:
    Identifier = Literal[tuple(FIELDS)]

BY_ANY_NAME: Final = {name: field for field in FIELDS.values() for name in (field.name, *field.aliases)}
"""The identifiers by name and by alias."""
CONTACTS: Final = tuple(field.name for field in FIELDS.values() if field.contact)
"""The identifiers of which a campaign needs one."""
