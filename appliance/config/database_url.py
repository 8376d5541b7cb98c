"""The URL of a database as PostgreSQL's library reads it: its password ends at the first `@`, unless a `/` comes first.

So a password with one of these that isn't percent-encoded is cut, and its rest is taken for a host, a port or a name,
which logs and messages show.
"""

import re

DATABASE_SCHEMES = ("postgresql", "postgres")
EXPECTED = (
    f"a URL that begins with {DATABASE_SCHEMES[0]}://, in which what is special in the password is percent-encoded: "
    "%2F for /, %40 for @, %25 for %, %20 for a space"
)
_HOST = re.compile(r"(\[[^\[\]@]*\]|[^:\[\]@]*)(:[0-9]*)?")
_PARAMETER = re.compile(r"[a-z_]+=[^=]*")
_NOT_ENCODED = re.compile(r"\s|%(?![0-9A-Fa-f]{2})|%00")


def is_database_url(url: str) -> bool:
    """Whether it is the URL of a database, and no part of the password can be taken for something else."""
    scheme, _, rest = url.partition("://")
    if scheme not in DATABASE_SCHEMES or _NOT_ENCODED.search(rest):
        return False
    user, at, place = rest.partition("@")
    if not at or "/" in user:
        place = rest
    place, _, parameters = place.partition("?")
    hosts, _, name = place.partition("/")
    return (
        "@" not in name
        and all(_HOST.fullmatch(host) for host in hosts.split(","))
        and (not parameters or all(_PARAMETER.fullmatch(parameter) for parameter in parameters.split("&")))
    )
