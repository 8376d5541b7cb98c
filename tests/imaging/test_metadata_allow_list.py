"""What stays of metadata, judged by exiftool: of thousands of tags those of the allow-list, and no other."""

import pytest
import pyvips

from appliance.domain.model import KeepMetadata
from tests.imaging.test_metadata_scrub import applied, found_in
from tests.support.images import rich_pictures

_PICTURE = (
    "ImageWidth ImageHeight BitsPerSample Compression PhotometricInterpretation StripOffsets StripByteCounts"
    " SubfileType SamplesPerPixel RowsPerStrip PlanarConfiguration MinSampleValue MaxSampleValue SampleFormat"
)
_ALWAYS = {
    "IFD0": f"Orientation XResolution YResolution ResolutionUnit YCbCrPositioning Copyright {_PICTURE}",
    "ExifIFD": "ExifVersion ComponentsConfiguration FlashpixVersion ColorSpace ExifImageWidth ExifImageHeight Gamma",
    "IPTC": "ApplicationRecordVersion Credit CopyrightNotice",
    "Photoshop": "URL",
    "XMP-cc": "License AttributionName AttributionURL",
    "XMP-iptcExt": "DigitalSourceType DigitalSourceFileType",
    "XMP-photoshop": "Credit",
    "XMP-xmpRights": "Marked WebStatement UsageTerms Owner",
    "XMP-tiff": "Copyright Orientation",
    "XMP-exif": "ColorSpace",
    "XMP-plus": "LicensorURL",
    "XMP-dc": "Rights",
    "XMP-GPano": "CroppedAreaImageHeightPixels CroppedAreaImageWidthPixels CroppedAreaLeftPixels CroppedAreaTopPixels"
    " FullPanoHeightPixels FullPanoWidthPixels PosePitchDegrees PoseRollDegrees ProjectionType UsePanoramaViewer",
    "JFIF": "JFIFVersion ResolutionUnit XResolution YResolution",
}
_CREDITS = {
    "IFD0": "Make Model ModifyDate Artist",
    "ExifIFD": "DateTimeOriginal CreateDate SubSecTime SubSecTimeOriginal SubSecTimeDigitized OffsetTime"
    " ExposureTime FNumber ExposureProgram ISO SensitivityType StandardOutputSensitivity RecommendedExposureIndex"
    " ISOSpeed ISOSpeedLatitudeyyy ISOSpeedLatitudezzz ShutterSpeedValue ApertureValue BrightnessValue"
    " ExposureCompensation MaxApertureValue MeteringMode LightSource Flash FocalLength FocalPlaneXResolution"
    " FocalPlaneYResolution FocalPlaneResolutionUnit ExposureIndex SensingMethod CustomRendered ExposureMode"
    " WhiteBalance DigitalZoomRatio FocalLengthIn35mmFormat SceneCaptureType GainControl Contrast Saturation Sharpness"
    " LensMake LensModel LensInfo",
    "IPTC": "By-line Source DateCreated TimeCreated",
    "XMP-exifEX": "LensMake LensModel LensInfo PhotographicSensitivity SensitivityType",
    "XMP-exif": "ApertureValue BrightnessValue Contrast DigitalZoomRatio ExposureCompensation ExposureMode"
    " ExposureProgram ExposureTime FNumber FocalLength FocalLengthIn35mmFormat ISO LightSource MaxApertureValue"
    " MeteringMode Saturation SceneCaptureType Sharpness ShutterSpeedValue WhiteBalance DateTimeOriginal"
    " DateTimeDigitized",
    "XMP-aux": "Lens LensInfo",
    "XMP-photoshop": "Source DateCreated",
    "XMP-tiff": "Artist Make Model DateTime",
    "XMP-xmp": "CreateDate ModifyDate",
    "XMP-plus": "CopyrightOwnerName ImageCreatorName",
    "XMP-dc": "Contributor Creator Date",
}


def pixels(data: bytes) -> bytes:
    memory: bytes = pyvips.Image.new_from_buffer(data, "").write_to_memory()
    return memory


def listed(*allowed: dict[str, str]) -> set[str]:
    return {f"{group}:{name}" for one in allowed for group, names in one.items() for name in names.split()}


@pytest.mark.parametrize("format", ["jpg", "tif"])
def test_of_thousands_of_tags_exiftool_finds_those_of_the_allow_list_alone(format: str) -> None:
    before = rich_pictures.rich(format)
    assert len(rich_pictures.told(before, format)) > 2000
    for keep, allowed in ((KeepMetadata.NOTHING, listed(_ALWAYS)), (KeepMetadata.CREDITS, listed(_ALWAYS, _CREDITS))):
        found = found_in(before, keep)
        after = applied(before, found)
        told = rich_pictures.told(after, format)
        said = {value for values in told.values() for value in values}
        assert found.complete
        assert set(told) - allowed - {"ExifTool:Warning"} == set()
        assert said & rich_pictures.PROTECTED
        assert pixels(after) == pixels(before)
        assert found_in(after, keep).edits == ()


def test_credits_are_the_makers_the_camera_and_the_dates() -> None:
    before = rich_pictures.rich("tif")
    told = rich_pictures.told(applied(before, found_in(before, KeepMetadata.CREDITS)), "tif")
    for name in ("IFD0:Model", "IFD0:Artist", "ExifIFD:DateTimeOriginal", "ExifIFD:LensModel", "XMP-dc:Creator"):
        assert name in told


def test_what_laws_protect_stays_by_default() -> None:
    before = rich_pictures.rich("tif")
    told = rich_pictures.told(applied(before, found_in(before, KeepMetadata.NOTHING)), "tif")
    said = " ".join(value for values in told.values() for value in values)
    assert [protected for protected in rich_pictures.PROTECTED if protected not in said] == []
