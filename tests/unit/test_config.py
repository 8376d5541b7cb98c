"""Where the configuration comes from, and what is said of mistakes in it."""

import tomllib
from pathlib import Path

import pytest

from appliance.config.load import Loaded, load
from appliance.config.model import GB, Config
from appliance.config.options import OPTIONS
from appliance.config.show import as_toml
from appliance.domain.errors import ConfigError
from appliance.domain.renditions import Format, Preset

NOWHERE = Path("/nonexistent/appliance.toml")


def loaded(text: str | None, tmp_path: Path, **environ: str) -> Loaded:
    file = None
    if text is not None:
        file = tmp_path / "appliance.toml"
        file.write_text(text)
    return load(file, environ, NOWHERE)


def mistakes(text: str | None, tmp_path: Path, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text, tmp_path, **environ)
    return caught.value.detail.replace(str(tmp_path), "").splitlines()


def test_with_no_source_at_all_the_defaults_are_in_force() -> None:
    found = load(None, {}, NOWHERE)
    assert found.config == Config()
    assert set(found.origins.values()) == {"default"}


def test_every_option_has_help_that_ends_like_a_sentence() -> None:
    assert [option.name for option in OPTIONS if not option.info.help.endswith(".")] == []


def test_the_names_that_the_world_relies_on_are_there() -> None:
    names = {option.name for option in OPTIONS}
    fixed = """data_dir server.listen server.public_url server.trusted_proxies server.metrics_listen store.kind
        store.endpoint store.bucket store.access_key store.secret_key store.secure store.region
        uploads.max_bytes uploads.max_pixels uploads.ack_budget_s uploads.default_expiry_days
        uploads.max_expiry_days renditions.presets renditions.formats renditions.prewarm
        renditions.workers renditions.queue renditions.deadline_s renditions.memory_bytes
        cache.memory_bytes cache.disk_bytes"""
    assert set(fixed.split()) <= names
    assert {option.env_name for option in OPTIONS} >= {"APPLIANCE_DATA_DIR", "APPLIANCE_SERVER_LISTEN"}


def test_the_later_source_wins_and_each_is_named(tmp_path: Path) -> None:
    secrets = tmp_path / "credentials"
    secrets.mkdir()
    (secrets / "store_secret_key").write_text("from-credential\n")
    text = """
        data_dir = "from-file"
        [store]
        access_key = "from-file"
        secret_key = "from-file"
        [cache]
        disk_bytes = "20 GiB"
    """
    found = loaded(
        text,
        tmp_path,
        APPLIANCE_STORE_ACCESS_KEY="from-env",
        APPLIANCE_STORE_SECRET_KEY="from-env",
        CREDENTIALS_DIRECTORY=str(secrets),
    )
    assert found.config.data_dir == Path("from-file")
    assert found.config.store.access_key == "from-env"
    assert found.config.store.secret_key == "from-credential"
    assert found.config.cache.disk_bytes == 20 * 2**30
    assert found.origins["store.access_key"] == "environment APPLIANCE_STORE_ACCESS_KEY"
    assert found.origins["store.secret_key"] == "credential store_secret_key"
    assert found.origins["cache.disk_bytes"].endswith("appliance.toml")


def test_the_file_is_the_one_named_on_the_command_line_else_in_the_environment_else_the_systems(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.toml" for name in ("line", "env", "system")}
    for name, path in paths.items():
        path.write_text(f'data_dir = "{name}"')
    environ = {"APPLIANCE_CONFIG": str(paths["env"])}
    assert load(paths["line"], environ, paths["system"]).config.data_dir == Path("line")
    assert load(None, environ, paths["system"]).config.data_dir == Path("env")
    assert load(None, {}, paths["system"]).config.data_dir == Path("system")


def test_every_type_is_read_from_the_environment() -> None:
    environ = {
        "APPLIANCE_DATA_DIR": "/srv/bilder",
        "APPLIANCE_SERVER_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
        "APPLIANCE_SERVER_LISTEN": "[::1]:0",
        "APPLIANCE_SERVER_PUBLIC_URL": "",
        "APPLIANCE_STORE_SECURE": "no",
        "APPLIANCE_UPLOADS_MAX_BYTES": "50 GB",
        "APPLIANCE_UPLOADS_ACK_BUDGET_S": "2.5",
        "APPLIANCE_RENDITIONS_PRESETS": "thumbnail:256,small:512",
        "APPLIANCE_RENDITIONS_FORMATS": "jpg,webp",
        "APPLIANCE_RENDITIONS_PREWARM": "",
    }
    config = load(None, environ, NOWHERE).config
    assert config.data_dir == Path("/srv/bilder")
    assert config.server.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")
    assert config.server.listen == "[::1]:0"
    assert config.server.public_url is None
    assert config.store.secure is False
    assert config.uploads.max_bytes == 50 * GB
    assert config.uploads.ack_budget_s == 2.5
    assert config.renditions.presets == (Preset("thumbnail", 256), Preset("small", 512))
    assert config.renditions.formats == (Format.JPG, Format.WEBP)
    assert config.renditions.prewarm == ()


def test_presets_of_ones_own_are_prewarmed_unless_told_otherwise(tmp_path: Path) -> None:
    found = loaded("[renditions.presets]\ntiny = 64", tmp_path)
    assert found.config.renditions.prewarm == ("tiny",)
    assert found.origins["renditions.prewarm"] == "default: every preset"


def test_all_mistakes_are_reported_at_once_with_name_value_place_and_what_is_expected(tmp_path: Path) -> None:
    text = """
        data_dirr = "x"
        cache = 5
        [uploads]
        max_bytes = "many"
        default_expiry_days = 900
        [server]
        listen = "nowhere"
    """
    assert mistakes(text, tmp_path, APPLIANCE_SERVER_LISTN="x", APPLIANCE_RENDITIONS_QUEUE="0") == [
        "data_dirr (/appliance.toml): unknown; did you mean data_dir?",
        "cache = 5 (/appliance.toml): expected a section, [cache]",
        "APPLIANCE_SERVER_LISTN (environment): unknown; did you mean APPLIANCE_SERVER_LISTEN?",
        "uploads.max_bytes = 'many' (/appliance.toml): "
        'expected a size of at least 0, such as 500000, "50 GB" or "20 GiB"',
        "renditions.queue = '0' (environment APPLIANCE_RENDITIONS_QUEUE): expected a whole number from 1 to 1000000",
        "server.listen = 'nowhere' (/appliance.toml): expected host:port, such as 127.0.0.1:8080 or [::1]:8080",
        "uploads.default_expiry_days = 900 (/appliance.toml): expected at most uploads.max_expiry_days, which is 730",
    ]


def test_minio_needs_its_endpoint_and_keys(tmp_path: Path) -> None:
    lines = mistakes('[store]\nkind = "minio"', tmp_path)
    assert [line.split(" ")[0] for line in lines] == ["store.endpoint", "store.access_key", "store.secret_key"]


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    (line,) = mistakes('[store]\nsecret_key = "S3CRET\\u0000"', tmp_path)
    assert line.startswith("store.secret_key = (hidden)")
    config = loaded('[store]\nsecret_key = "S3CRET"\naccess_key = "S3CRET"', tmp_path).config
    assert "S3CRET" not in repr(config)
    assert "S3CRET" not in as_toml(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVER_LISTEN", "127.0.0.1"),
        ("SERVER_LISTEN", "127.0.0.1:65536"),
        ("SERVER_LISTEN", "::1:8080"),
        ("SERVER_LISTEN", "[::g]:8080"),
        ("SERVER_METRICS_LISTEN", "127.0.0.1:8080"),
        ("SERVER_PUBLIC_URL", "img.example"),
        ("SERVER_PUBLIC_URL", "https://img.example/path"),
        ("SERVER_PUBLIC_URL", "https://me@img.example"),
        ("SERVER_PUBLIC_URL", "https://img.example:99999"),
        ("SERVER_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("SERVER_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("SERVER_TRUSTED_PROXIES", "127.0.0.1,::ffff:0:0/96"),
        ("SERVER_TRUSTED_PROXIES", "64.0.0.0/9,64.128.0.0/9,65.0.0.0/9"),
        ("SERVER_TRUSTED_PROXIES", "2000::/3"),
        ("SERVER_LOG_LEVEL", "loud"),
        ("CATALOGUE_URL", "mysql://db/appliance"),
        ("CATALOGUE_STALE_S", "61"),
        ("STORE_KIND", "tape"),
        ("STORE_BUCKET", "Images"),
        ("STORE_ENDPOINT", "http://127.0.0.1:9000"),
        ("STORE_SECURE", "perhaps"),
        ("STORE_REGION", "eu central"),
        ("STORE_REGION", ""),
        ("UPLOADS_MAX_BYTES", "-1"),
        ("UPLOADS_MAX_BYTES", "9999999 TB"),
        ("UPLOADS_MAX_BYTES", "5 XB"),
        ("UPLOADS_ACK_BUDGET_S", "nan"),
        ("UPLOADS_ACK_BUDGET_S", "10"),
        ("RENDITIONS_PRESETS", ""),
        ("RENDITIONS_PRESETS", "thumbnail"),
        ("RENDITIONS_PRESETS", "original:256"),
        ("RENDITIONS_PRESETS", "a/b:256"),
        ("RENDITIONS_PRESETS", "a:1,a:2"),
        ("RENDITIONS_PREWARM", "huge"),
        ("RENDITIONS_FORMATS", "jpg,webp,bmp"),
        ("RENDITIONS_FORMATS", "png"),
        ("RENDITIONS_FORMATS", "jpg,jpg,webp"),
        ("RENDITIONS_HEAVY_MEMORY_BYTES", "100 MB"),
        ("LIMITS_MODE", "perhaps"),
        ("LIMITS_ADDRESS_REQUESTS", "-1"),
        ("LIMITS_ADDRESS_REQUESTS", "59"),
        ("LIMITS_ADDRESS_DAY_BYTES", "1 KB"),
        ("LIMITS_PREFIX_UPLOADS", "599"),
        ("DATA_DIR", ""),
        ("ACCESS_UPLOADS", ""),
        ("ACCESS_UPLOADS", "nobody"),
        ("ACCESS_USER_HEADER", "Remote-User"),
        ("ACCESS_USER_HEADER", "Remote User"),
        ("ACCESS_SIGN_IN_URL", "//elsewhere"),
        ("ACCESS_SIGN_IN_URL", "javascript:alert(1)"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(name: str, value: str, tmp_path: Path) -> None:
    (line,) = mistakes(None, tmp_path, **{f"APPLIANCE_{name}": value})
    assert line.partition(" ")[0].replace(".", "_").upper() == name
    assert ": expected " in line


@pytest.mark.parametrize("name", [option.name for option in OPTIONS if option.section == "limits"])
def test_no_limit_is_nonsense(name: str, tmp_path: Path) -> None:
    nonsense = ["-1", "0.5", "true", "nan", '"many"', '" "', "{}", '"1e9"', "9223372036854775808", "2027-01-01"]
    if name != "limits.anonymous_uploads":  # which may be empty
        nonsense.append('""')
    for value in nonsense:
        [mistake] = mistakes(f"{name} = {value}", tmp_path)
        assert mistake.startswith(f"{name} = ")
        assert ": expected " in mistake


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path: Path) -> None:
    assert "can't be read" in mistakes(None, tmp_path, APPLIANCE_CONFIG=str(tmp_path / "absent.toml"))[0]
    assert "not valid TOML" in mistakes("listen 8080", tmp_path)[0]
    assert "not valid TOML" in mistakes("a = " + "[" * 100_000, tmp_path)[0]


def test_what_is_shown_parses_as_toml_and_names_origins(tmp_path: Path) -> None:
    found = loaded('[store]\nsecret_key = "S3CRET"', tmp_path, APPLIANCE_SERVER_LISTEN="[::1]:8080")
    shown = as_toml(found.config, found.origins)
    parsed = tomllib.loads(shown)
    assert parsed["server"]["listen"] == "[::1]:8080"
    assert parsed["renditions"]["presets"]["thumbnail"] == 256
    assert 'listen = "[::1]:8080"  # environment APPLIANCE_SERVER_LISTEN' in shown
    assert "# public_url is not set" in shown
