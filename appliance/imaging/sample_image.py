"""An image to measure with: as large, as detailed and as heavy as a photograph, and the same on every machine.

`python -m appliance.imaging.sample_image` writes it to standard output, so that who measures need not load libvips.
"""

import sys

import pyvips

WIDTH, HEIGHT = 2725, 2225
QUALITY = 85
_SEED = 7
_SHAPES_PX, _TEXTURE_PX = 256, 12


def specimen() -> bytes:
    """A JPEG of about 0.8 MB: soft shapes in three colours, texture over them, and the noise of a sensor."""
    bands = [_band(_SEED + number) for number in range(3)]
    noise = pyvips.Image.gaussnoise(WIDTH, HEIGHT, sigma=3, mean=0, seed=_SEED)
    image = bands[0].bandjoin(bands[1:]) + noise
    data: bytes = image.cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=QUALITY, keep="none")
    return data


def _band(seed: int) -> pyvips.Image:
    shapes = pyvips.Image.perlin(WIDTH, HEIGHT, cell_size=_SHAPES_PX, seed=seed)
    texture = pyvips.Image.perlin(WIDTH, HEIGHT, cell_size=_TEXTURE_PX, seed=seed)
    return shapes * 90 + texture * 18 + 120


if __name__ == "__main__":
    sys.stdout.buffer.write(specimen())
