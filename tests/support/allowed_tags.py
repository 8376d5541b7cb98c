"""The tags that may stay in a file, as exiftool names them."""

_PICTURE = (
    "ImageWidth ImageHeight BitsPerSample Compression PhotometricInterpretation StripOffsets StripByteCounts"
    " SubfileType SamplesPerPixel RowsPerStrip PlanarConfiguration MinSampleValue MaxSampleValue SampleFormat"
)

ALWAYS = {
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
CREDITS = {
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


def listed(*allowed: dict[str, str]) -> set[str]:
    return {f"{group}:{name}" for one in allowed for group, names in one.items() for name in names.split()}
