"""Gain maps (Ultra HDR, ISO 21496-1): how much brighter each part of a JPEG is shown on a screen that can.

The image that other screens show is made as ever; a smaller map goes with it. libultrahdr reads and writes what is
said of the map; its pixels are resized here.
"""

import os
from dataclasses import dataclass

import pyvips

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.headers import orientation_of
from appliance.imaging.metadata.cleaning import Cleaning, OutOfTime
from appliance.imaging.metadata.segments import SOS, segments
from appliance.imaging.ultra_hdr import ISO_MARK, with_other_image

MIN_SIDE_PX = 512
"""Of a rendition's longer side, from where on it has a gain map."""
_MAX_HEADER_BYTES = 256 * 1024
"""Read of a file's header at most, to see whether it has a map."""
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/"
_ADOBE_MARK = b"http://ns.adobe.com/hdr-gain-map/1.0/"
_MAX_FILE_BYTES = 128 * 1024 * 1024
"""libultrahdr holds the whole file to read what is said of the map."""
_MAX_MAP_PIXELS = 100_000_000
_DATA, _PREFIX = "gainmap-data", "gainmap-"
_QUALITIES, _QUALITIES_OF_SMALL, _MAX_SHARE = (75, 50, 30), (50, 30), 0.1
"""Of the map, the first with which it takes no more than this share of the image's bytes. A small image's map is
relatively large, so that 75 would nearly always be in vain.
"""
_SAMPLE_PX = 16
"""The side of the image that libultrahdr writes, before the real one takes its place."""
_SMALL_PX, _DIVISOR_OF_SMALL, _DIVISOR = 1024, 2, 4
"""A map has a quarter of the rendition's side, half of that of a small one."""
_JPEG_SHRINKS = (8, 4, 2)
_METADATA = ("exif", "xmp", "iptc", "photoshop", "jpeg-thumbnail")
_KEEP = pyvips.enums.ForeignKeep.GAINMAP


@dataclass(frozen=True, slots=True)
class GainMap:
    """The map, upright, and an image of one pixel that carries what is said of it."""

    pixels: pyvips.Image
    said: pyvips.Image


def read_gain_map(fd: int, largest_px: int) -> GainMap | None:
    """A JPEG's gain map, large enough for an image whose longer side has so many pixels.

    None where there is none, or none that can be read.
    """
    if os.fstat(fd).st_size > _MAX_FILE_BYTES or not may_have_gain_map(fd):
        return None
    try:
        whole = pyvips.Image.uhdrload_source(pyvips.Source.new_from_descriptor(fd), access="sequential")
        if not whole.get_typeof(_DATA):
            return None
        data = whole.get(_DATA)  # has to live until its pixels are decoded
        pixels = pyvips.Image.jpegload_source(pyvips.Source.new_from_memory(data))
        if pixels.width * pixels.height > _MAX_MAP_PIXELS:
            return None
        shrink = _shrink(max(pixels.width, pixels.height), largest_px / _divisor(largest_px))
        pixels = pyvips.Image.jpegload_source(pyvips.Source.new_from_memory(data), shrink=shrink)
        return GainMap(_upright(pixels, orientation_of(whole)), whole)
    except pyvips.Error:
        return None


def may_have_gain_map(fd: int) -> bool:
    """Whether a segment before a JPEG's pixels says so: one of ISO 21496-1, or Adobe's namespace in XMP."""
    file = Cleaning(fd, KeepMetadata.ALL, max_bytes=_MAX_HEADER_BYTES)
    try:
        for segment in segments(file, 2):
            if segment.marker == SOS:
                break
            if segment.head.startswith(ISO_MARK):
                return True
            if segment.head.startswith(_XMP_MARK):
                packet = file.read(segment.body, segment.end - segment.body)
                if _ADOBE_MARK in packet:
                    return True
    except (Unclear, OutOfTime):
        pass
    return False


def with_gain_map(jpeg: bytes, image: pyvips.Image, gain_map: GainMap) -> bytes | None:
    """The JPEG, which shows this image, with its gain map; None where none can be written.

    libultrahdr would quantise the image in its own way, so it writes a corner, whose place the JPEG takes.
    """
    longer_px = max(image.width, image.height)
    pixels = _reduced(gain_map.pixels, image, _divisor(longer_px))
    sample = image.crop(0, 0, min(image.width, _SAMPLE_PX), min(image.height, _SAMPLE_PX))
    try:
        for quality in _QUALITIES_OF_SMALL if longer_px < _SMALL_PX else _QUALITIES:
            encoded = bytes(pixels.jpegsave_buffer(Q=quality, keep="none", optimize_coding=True))
            if len(encoded) <= _MAX_SHARE * len(jpeg):
                break
        return with_other_image(bytes(_marked(sample, gain_map, encoded).uhdrsave_buffer(keep=_KEEP)), jpeg)
    except pyvips.Error:
        return None


def _divisor(longer_px: int) -> int:
    return _DIVISOR_OF_SMALL if longer_px < _SMALL_PX else _DIVISOR


def _shrink(stored_px: int, wanted_px: float) -> int:
    """How far the decoder may shrink the map."""
    return next((shrink for shrink in _JPEG_SHRINKS if stored_px >= shrink * wanted_px), 1)


def _reduced(pixels: pyvips.Image, image: pyvips.Image, divisor: int) -> pyvips.Image:
    """The map with this part of the image's side, never enlarged."""
    width, height = (max(1, round(side / divisor)) for side in (image.width, image.height))
    if width >= pixels.width:
        return pixels
    return pixels.resize(width / pixels.width, vscale=height / pixels.height, kernel="linear").copy_memory()


def _upright(pixels: pyvips.Image, orientation: int) -> pyvips.Image:
    pixels = pixels.copy()
    pixels.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return pixels.autorot().copy_memory()


def _marked(image: pyvips.Image, gain_map: GainMap, data: bytes) -> pyvips.Image:
    """The image with the map and what is said of it, and with no other metadata but its profile."""
    marked, said = image.copy(), gain_map.said
    for name in marked.get_fields():
        if name.startswith(_METADATA):
            marked.remove(name)
    for name in said.get_fields():
        if name.startswith(_PREFIX) and name != _DATA:
            marked.set_type(said.get_typeof(name), name, said.get(name))
    marked.set_type(pyvips.GValue.blob_type, _DATA, data)
    return marked
