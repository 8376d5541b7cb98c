"""Pictures that tests make for themselves: photographs, every format, every oddity. All return a file's bytes.

Made with Pillow where it can, so that what libvips reads here was written by somebody else.
"""

import functools
import io
import shutil
import subprocess
import tempfile
from pathlib import Path

import pyvips
from PIL import Image, ImageCms, ImageDraw, ImageOps

from tests.support.programs import ROOT, require

PHOTOS = ROOT / "tests" / "photos"
RED, GREEN, BLUE, YELLOW = (220, 40, 30), (30, 170, 60), (40, 60, 210), (235, 215, 40)
_CAMERA_SEED, _CAMERA_NOISE, _CAMERA_QUALITY = 20260101, 3.3, 85
_STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def small_photo(name: str = "chelsea") -> bytes:
    """One of the photographs in tests/photos: astronaut, chelsea, coffee or rocket."""
    return (PHOTOS / f"{name}.jpg").read_bytes()


@functools.cache
def camera_photo(quality: int = _CAMERA_QUALITY) -> bytes:
    """A photograph of 2725 x 2225 pixels, the same at every call: about 829 KB, unless another quality is asked for."""
    source = pyvips.Image.new_from_buffer(small_photo("coffee"), "").crop(55, 0, 490, 400)
    large = source.resize(2725 / 490, vscale=2225 / 400, kernel="cubic")
    noise = pyvips.Image.gaussnoise(2725, 2225, mean=0, sigma=_CAMERA_NOISE, seed=_CAMERA_SEED)
    picture = (large + noise).rint().cast("uchar").copy(interpretation="srgb")
    return bytes(picture.jpegsave_buffer(Q=quality, keep="none"))


def quarters(width: int = 640, height: int = 480) -> Image.Image:
    """Four fields of one colour each, so that turning, mirroring and swapping of colours all show."""
    picture = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(picture)
    across, down = width // 2, height // 2
    draw.rectangle((across, 0, width, down - 1), fill=GREEN)
    draw.rectangle((0, down, across - 1, height), fill=BLUE)
    draw.rectangle((across, down, width, height), fill=YELLOW)
    return picture


def photo_like(width: int, height: int, seed: int = 1) -> pyvips.Image:
    """Gradients with noise over them: compresses about as a photograph does, at any size."""
    ramp = pyvips.Image.xyz(width, height)
    across, down = ramp[0] * (200 / max(1, width)), ramp[1] * (200 / max(1, height))
    noise = pyvips.Image.gaussnoise(width, height, mean=0, sigma=8, seed=seed)
    picture = across.bandjoin([down, (across + down) / 2]) + noise + 25
    return picture.rint().cast("uchar").copy(interpretation="srgb")


def photo(width: int = 640, height: int = 480, *, seed: int = 1, quality: int = 85, progressive: bool = False) -> bytes:
    """A photo-like JPEG of any size; every seed gives other bytes."""
    return bytes(photo_like(width, height, seed).jpegsave_buffer(Q=quality, interlace=progressive))


def oriented_jpeg(orientation: int, upright: Image.Image | None = None) -> bytes:
    """A JPEG that shows `upright` (by default `quarters()`) once its EXIF orientation, 1 to 8, is applied."""
    picture = upright or quarters()
    stored = picture.transpose(_STORED_AS[orientation]) if orientation > 1 else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert ImageOps.exif_transpose(_with_exif(stored, exif)).size == picture.size
    return saved(stored, "jpeg", quality=92, exif=exif)


def jpeg_with_gps(picture: Image.Image | None = None) -> bytes:
    """A JPEG whose EXIF says where it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "A Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0.0)})
    return saved(picture or quarters(), "jpeg", quality=90, exif=exif)


def cmyk_jpeg() -> bytes:
    """`quarters()` in CMYK, without a profile."""
    return saved(quarters().convert("CMYK"), "jpeg", quality=92)


def grey_jpeg() -> bytes:
    """`quarters()` in grey."""
    return saved(quarters().convert("L"), "jpeg", quality=92)


def p3_jpeg() -> bytes:
    """`quarters()` in Display P3, with its profile: other numbers for the same colours."""
    wide = _vips(quarters()).icc_transform("p3", input_profile="srgb")
    return bytes(wide.jpegsave_buffer(Q=95, keep="icc"))


def png(width: int = 640, height: int = 480) -> bytes:
    """`quarters()` as PNG."""
    return saved(quarters(width, height), "png")


def alpha_picture(width: int = 640, height: int = 480) -> Image.Image:
    """A red disc on nothing; the transparent pixels are black underneath."""
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill=(*RED, 255))
    return picture


def alpha_png(width: int = 640, height: int = 480) -> bytes:
    """`alpha_picture()` as PNG."""
    return saved(alpha_picture(width, height), "png")


def png_16_bit() -> bytes:
    """`quarters()` with 16 bits a sample."""
    deep = (_vips(quarters()) * 257).cast("ushort").copy(interpretation="rgb16")
    return bytes(deep.pngsave_buffer())


def alpha_png_16_bit() -> bytes:
    """`alpha_picture()` with 16 bits a sample."""
    deep = (_vips(alpha_picture()) * 257).cast("ushort").copy(interpretation="rgb16")
    return bytes(deep.pngsave_buffer())


def palette_png() -> bytes:
    """`quarters()` with a palette."""
    return saved(quarters().quantize(16), "png")


def interlaced_png(width: int = 640, height: int = 480) -> bytes:
    """`quarters()` as an interlaced PNG."""
    return bytes(_vips(quarters(width, height)).pngsave_buffer(interlace=True))


def tiff(pages: int = 1, **options: object) -> bytes:
    """`quarters()` as TIFF; further pages are blue."""
    others = [Image.new("RGB", (640, 480), BLUE) for _ in range(pages - 1)]
    return saved(quarters(), "tiff", save_all=pages > 1, append_images=others, **options)


def webp(width: int = 640, height: int = 480, *, lossless: bool = False) -> bytes:
    """`quarters()` as WebP."""
    return saved(quarters(width, height), "webp", lossless=lossless, quality=90)


def avif() -> bytes:
    """`quarters()` as AVIF."""
    return saved(quarters(), "avif", quality=85)


def animated(format: str, frames: int = 6, width: int = 320, height: int = 240) -> bytes:
    """A bar that moves to the right over a field that changes colour, 100 ms a frame, for ever ("gif" or "webp")."""
    pictures = [_frame(number, frames, width, height) for number in range(frames)]
    return saved(pictures[0], format, save_all=True, append_images=pictures[1:], duration=100, loop=0)


def one_pixel(format: str = "png") -> bytes:
    """1 x 1 pixel."""
    return saved(Image.new("RGB", (1, 1), RED), format)


def thread_of_pixels(format: str = "png") -> bytes:
    """1 x 30000 pixels."""
    return saved(Image.new("RGB", (1, 30_000), GREEN), format)


def damaged_png() -> bytes:
    """Whole from its header to its end, but for what its pixels are packed in."""
    data = interlaced_png(300, 300)
    at = data.index(b"IDAT") + 200
    return data[:at] + bytes(64) + data[at + 64 :]


def heic(picture: Image.Image | None = None) -> bytes:
    """`quarters()` as HEIC, made by `heif-enc`; without it the test is skipped or fails (see `require`)."""
    return heic_of(saved(picture or quarters(), "png"), "png")


def heic_of(data: bytes, ending: str, *options: str) -> bytes:
    """A PNG or JPEG as HEIC, with its metadata, and more options of the tool; likewise."""
    tool = shutil.which("heif-enc")
    if tool is None:
        require("heif-enc", "it makes the HEIC for the tests; it comes with libheif-examples")
    assert tool is not None
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, f"in.{ending}"), Path(folder, "out.heic")
        source.write_bytes(data)
        subprocess.run([tool, "-q", "85", *options, source, "-o", result], check=True, capture_output=True)
        return result.read_bytes()


def saved(picture: Image.Image, format: str, **options: object) -> bytes:
    """The picture as a file of a format that Pillow writes."""
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """The first frame of a file's bytes, as Pillow reads it."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def as_srgb(picture: Image.Image) -> Image.Image:
    """The picture as a screen of sRGB shows it, by its profile if it has one."""
    profile = picture.info.get("icc_profile")
    if profile is None:
        return picture.convert("RGB")
    srgb = ImageCms.createProfile("sRGB")
    shown = ImageCms.profileToProfile(picture, io.BytesIO(profile), srgb, outputMode="RGB")
    assert shown is not None
    return shown


def frames(data: bytes) -> list[bytes]:
    """The pixels of every frame, as Pillow shows them; of a JPEG those of the picture that stands for itself."""
    opened, found = Image.open(io.BytesIO(data)), []
    for number in range(1 if opened.format in ("JPEG", "MPO") else getattr(opened, "n_frames", 1)):
        opened.seek(number)
        found.append(opened.convert("RGBA").tobytes())
    opened.close()
    return found


def _frame(number: int, frames: int, width: int, height: int) -> Image.Image:
    colour = (RED, GREEN, BLUE, YELLOW)[number % 4]
    picture = Image.new("RGB", (width, height), colour)
    left = number * (width - 40) // max(1, frames - 1)
    ImageDraw.Draw(picture).rectangle((left, 0, left + 39, height), fill=(255, 255, 255))
    return picture


def _vips(picture: Image.Image) -> pyvips.Image:
    bands = len(picture.getbands())
    image = pyvips.Image.new_from_memory(picture.tobytes(), picture.width, picture.height, bands, "uchar")
    return image.copy(interpretation="srgb")


def _with_exif(picture: Image.Image, exif: Image.Exif) -> Image.Image:
    return opened(saved(picture, "jpeg", exif=exif))
