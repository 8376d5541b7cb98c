"""Properties of reading the configuration: nothing is lost on the way, and no junk does worse than a ConfigError."""

import string
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.config.load import load
from appliance.config.model import CacheConfig, Config, Renditions, Server, Store, Uploads
from appliance.config.options import OPTIONS, value_of
from appliance.config.show import as_toml
from appliance.config.values import RESERVED_NAMES
from appliance.domain.errors import ConfigError
from appliance.domain.renditions import Format, Preset

NOWHERE = Path("/nonexistent/appliance.toml")
SIZES = st.integers(1, 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)  # printable, without white space
LISTENS = st.builds("{}:{}".format, st.sampled_from(["127.0.0.1", "[::1]", "box.example"]), st.integers(0, 65535))
PRESETS = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True).filter(lambda name: name not in RESERVED_NAMES),
    st.integers(1, 16_384),
    min_size=1,
    max_size=6,
).map(lambda boxes: tuple(Preset(name, box) for name, box in boxes.items()))


@st.composite
def renditions(draw: st.DrawFn) -> Renditions:
    presets = draw(PRESETS)
    return Renditions(
        presets=presets,
        formats=draw(st.permutations(list(Format)).map(tuple)),
        prewarm=tuple(draw(st.lists(st.sampled_from([preset.name for preset in presets]), unique=True))),
        workers=draw(st.integers(1, 1024)),
        queue=draw(st.integers(1, 10**6)),
        deadline_s=draw(st.floats(0.1, 3600)),
    )


CONFIGS = st.builds(
    Config,
    data_dir=TEXTS.map(Path),
    server=st.builds(
        Server,
        listen=LISTENS,
        public_url=st.sampled_from([None, "https://img.example", "http://[::1]:8080/"]),
        trusted_proxies=st.sampled_from([(), ("127.0.0.1",), ("10.0.0.0/8", "::1")]),
    ),
    store=st.builds(
        Store,
        kind=st.sampled_from(["directory", "minio"]),
        endpoint=st.just("127.0.0.1:9000"),
        access_key=TEXTS,
        secret_key=TEXTS,
        secure=st.booleans(),
    ),
    uploads=st.builds(Uploads, max_bytes=SIZES, max_pixels=SIZES, ack_budget_s=st.floats(0, 9)),
    renditions=renditions(),
    cache=st.builds(CacheConfig, memory_bytes=SIZES, disk_bytes=SIZES),
)


def as_env_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(f"{item.name}:{item.box_px}" if isinstance(item, Preset) else str(item) for item in value)
    return str(value)


def load_text(content: bytes) -> Config:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(content)
        file.flush()
        return load(Path(file.name), {}, NOWHERE).config


@given(CONFIGS)
def test_a_configuration_written_as_toml_reads_back_the_same(config: Config) -> None:
    assert load_text(as_toml(config, hide_secrets=False).encode()) == config


@given(CONFIGS)
def test_a_configuration_given_by_the_environment_reads_back_the_same(config: Config) -> None:
    environ = {option.env_name: as_env_text(value_of(config, option)) for option in OPTIONS}
    assert load(None, environ, NOWHERE).config == config


JUNK_TEXT = st.one_of(
    st.text(), st.text(string.digits + " .,:-+eEkKmMgGtTpPiIbB[]/"), st.sampled_from(["nan", "1" * 5000])
)


@given(st.dictionaries(st.sampled_from([option.env_name for option in OPTIONS]), JUNK_TEXT))
def test_junk_in_the_environment_does_no_worse_than_a_config_error(environ: dict[str, str]) -> None:
    try:
        load(None, environ, NOWHERE)
    except ConfigError as error:
        assert error.detail


JUNK_VALUES = st.one_of(
    JUNK_TEXT.map(lambda text: '"' + "".join(char for char in text if char.isalnum() or char in " .,:-") + '"'),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["true", "1979-05-27", "{}", "[]", "[[1]]", '{ a = "b" }', '{ "" = 1 }', '["a:1", 2]', '[""]']),
)


@given(st.dictionaries(st.sampled_from([option.name for option in OPTIONS]), JUNK_VALUES))
def test_junk_in_a_file_does_no_worse_than_a_config_error(values: dict[str, str]) -> None:
    try:
        load_text("\n".join(f"{name} = {value}" for name, value in values.items()).encode())
    except ConfigError as error:
        assert error.detail


@given(st.binary())
def test_a_file_of_any_bytes_does_no_worse_than_a_config_error(content: bytes) -> None:
    try:
        load_text(content)
    except ConfigError as error:
        assert error.detail
