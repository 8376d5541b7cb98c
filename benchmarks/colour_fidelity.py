"""How far are the colours of renditions from those of the source, and what do wide gamut and a gain map cost in bytes?

A photograph with its colours made stronger is uploaded in each space, and its medium size (1024 px) compared with the
source, reduced without loss. The next column is the distance when the source is converted to sRGB, as most hosts do.
"""

import argparse
import json
import urllib.request
from collections.abc import Iterator

import pyvips

from appliance.imaging.matrices import BT2020_XY, D65, SRGB_XY, Primaries
from appliance.imaging.profiles import Space, compact, gamma_curve, parametric_curve, rgb_profile
from benchmarks.harness import format_table, report, server
from tests.support.images.pictures import camera_photo

SIZE, BOX_PX = "medium", 1024
FORMATS = ("jpg", "webp", "avif", "png")
PROPHOTO_XY: Primaries = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
SRGB = rgb_profile(SRGB_XY, D65, parametric_curve())
SPACES = {
    "sRGB": SRGB,
    Space.P3.value: compact(Space.P3),
    Space.ADOBE.value: compact(Space.ADOBE),
    "ProPhoto": rgb_profile(PROPHOTO_XY, D65, gamma_curve(1.8)),
    "BT.2020": rgb_profile(BT2020_XY, D65, gamma_curve(2.4)),
}
CHROMA, LIGHT, SOURCE_QUALITY = 1.6, 4.0, 95


def strong(photo: pyvips.Image) -> pyvips.Image:
    """The photograph in Lab, with colours that reach beyond sRGB."""
    lab = photo.colourspace("lab")
    return (lab * [1, CHROMA, CHROMA]).copy(interpretation="lab")


def in_space(lab: pyvips.Image, profile: bytes) -> pyvips.Image:
    """The same colours as eight-bit codes of a space, with its profile; what it lacks is clipped."""
    lab = lab.copy()
    lab.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return lab.icc_export(intent="relative", depth=8, pcs="lab")


def lab_of(image: pyvips.Image) -> pyvips.Image:
    """What a colour-managed screen shows; codes without a profile are sRGB."""
    image = image.extract_band(0, n=3)
    if not image.get_typeof("icc-profile-data"):
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", SRGB)
    return image.icc_import(embedded=True, intent="relative", pcs="lab")


def distance(one: pyvips.Image, other: pyvips.Image) -> str:
    """The mean dE2000, and the one that 95 % of the pixels stay within."""
    apart = one.dE00(other)
    within = (apart * 10).cast("ushort").percent(95) / 10
    return f"{apart.avg():.2f}, {within:.1f}"


def ultra_hdr(photo: pyvips.Image) -> bytes:
    """The photograph with its right half up to four times as bright as white, as a phone stores it."""
    ramp = pyvips.Image.identity(bands=1).resize(photo.width / 256, vscale=photo.height, kernel="linear")
    bright = (ramp > 127).ifthenelse(LIGHT, 1.0)
    light = (photo.colourspace("scrgb") * bright).cast("float").copy(interpretation="scrgb")
    return bytes(light.uhdrsave_buffer(Q=SOURCE_QUALITY, gainmap_scale_factor=4))


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as reply:
        return bytes(reply.read())


def upload(url: str, data: bytes) -> str:
    """The share link of a JPEG."""
    request = urllib.request.Request(f"{url}/api/v1/images?filename=photo.jpg", data=data, method="POST")
    with urllib.request.urlopen(request) as reply:
        return f"{url}/i/{json.load(reply)['slug']}"


def gamut_rows(url: str, photo: pyvips.Image) -> Iterator[tuple[str, ...]]:
    """A row for each space and format."""
    colours, plain = strong(photo), dict[str, int]()
    for name, profile in SPACES.items():
        stored = in_space(colours, profile)
        source = bytes(stored.jpegsave_buffer(Q=SOURCE_QUALITY, keep="icc", subsample_mode="off"))
        link = upload(url, source)
        decoded = pyvips.Image.new_from_buffer(source, "")
        reduced = decoded.resize(BOX_PX / max(decoded.width, decoded.height))
        for format in FORMATS:
            made = get(f"{link}/{SIZE}.{format}")
            shown = pyvips.Image.new_from_buffer(made, "")
            wanted = lab_of(reduced.resize(shown.width / reduced.width, vscale=shown.height / reduced.height))
            clipped = lab_of(in_space(wanted, SRGB))
            plain.setdefault(format, len(made))
            more = f"{len(made) / plain[format] - 1:+.1%}"
            yield name, format, distance(lab_of(shown), wanted), distance(clipped, wanted), f"{len(made):,}", more


def gain_map_rows(url: str, photo: pyvips.Image) -> Iterator[tuple[str, ...]]:
    """A row for each size: what other screens see with and without the map, and the bytes that it takes."""
    source = ultra_hdr(photo)
    without = bytes(pyvips.Image.new_from_buffer(source, "").jpegsave_buffer(Q=98, keep="icc", subsample_mode="off"))
    link, other = upload(url, source), upload(url, without)
    for size in ("small", "medium", "large"):
        made, plain = get(f"{link}/{size}.jpg"), get(f"{other}/{size}.jpg")
        apart = distance(*(lab_of(pyvips.Image.new_from_buffer(data, "")) for data in (made, plain)))
        yield size, apart, f"{len(made):,}", f"{len(made) / len(plain) - 1:+.1%}"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    photo = pyvips.Image.new_from_buffer(camera_photo(), "").copy_memory()
    with server(RENDITIONS_PREWARM="") as running:
        gamut = list(gamut_rows(running.url, photo))
        gain = list(gain_map_rows(running.url, photo))
    distances = ("dE2000 to the source: mean, 95 % within", "of the source in sRGB", "bytes", "beside the sRGB photo")
    gain_table = format_table(("gain map, size", "dE2000 without it", "bytes", "more bytes"), gain)
    question = f"How far are colours from the source's, at {BOX_PX} px, and what do wide gamut and gain maps cost?"
    report("colour_fidelity", question, ("space", "format", *distances), gamut, ["", *gain_table])


if __name__ == "__main__":
    main()
