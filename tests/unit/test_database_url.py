"""The URL of a database: what could be read in two ways is refused, and nothing of it is shown."""

from pathlib import Path

import pytest

from appliance.config.load import load
from appliance.domain.errors import ConfigError


def loaded(url: str) -> str | None:
    return load(None, {"APPLIANCE_CATALOGUE_URL": url}, Path("nowhere")).config.catalogue.url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db/appliance",
        "postgres://appliance:pa%2Fss%40%25@db.example:5432/appliance?sslmode=verify-full&sslrootcert=/etc/ca.crt",
        "postgresql://appliance:p#a:s?s!@db-1,db-2:5433/appliance",
        "postgresql://appliance@[::1]:5432,[fe80::1%25eth0]/appliance",
        "postgresql:///appliance?host=/run/postgresql",
        "postgresql://%2Frun%2Fpostgresql/appliance",
        "postgresql://u@db/x?options=-csearch_path%3Dmine",
        "postgresql://",
    ],
)
def test_a_url_that_has_one_meaning_is_accepted(url: str) -> None:
    assert loaded(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "mysql://appliance:secret@db/x",
        "postgresql://appliance:secret",
        "postgresql://appliance:pa/secret@db/x",
        "postgresql://appliance:12/secret@db/x",
        "postgresql://appliance:pa/secret?more@db/x",
        "postgresql://appliance:pa@secret@db/x",
        "postgresql://appliance:pa@se/cret@db/x",
        "postgresql://appliance:pa@secret:9x@db/x",
        "postgresql://appliance:pa@db?secret@db/x",
        "postgresql://appliance:%secret@db/x",
        "postgresql://appliance:secret%00@db/x",
        "postgresql://appliance:pa secret@db/x",
    ],
)
def test_a_url_whose_password_could_end_elsewhere_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError, match=r"catalogue\.url = \(hidden\)") as raised:
        loaded(url)
    assert "secret" not in raised.value.detail
    assert "%2F for /" in raised.value.detail
