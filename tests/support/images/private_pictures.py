"""Pictures that tell too much: a position, serial numbers and an owner's name, in every place that a format has."""

import struct
import zlib

from PIL import Image, PngImagePlugin

from tests.support.images import pictures

SECRETS = (b"SERIAL-4711", b"LENS-0815", b"Olga Owner", b"NOTE-OF-THE-MAKER", b"Wien", b"48,12.5N", b"16,22.1E")
KEPT = (b"Some Camera", b"2024:05:06 07:08:09", b"(c) somebody")
XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"'
    b' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" exif:GPSLatitude="48,12.5N"'
    b" aux:SerialNumber='SERIAL-4711'"
    b' photoshop:City="Wien" photoshop:Credit="(c) somebody"><exif:GPSLongitude>16,22.1E</exif:GPSLongitude>'
    b"<aux:LensSerialNumber>LENS-0815</aux:LensSerialNumber></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)


def secrets_in(data: bytes) -> list[bytes]:
    """Those of `SECRETS` that the bytes still have."""
    return [secret for secret in SECRETS if secret in data]


def exif() -> Image.Exif:
    """Turned by 90 degrees, with everything that is private and some that is not."""
    found = Image.Exif()
    found[0x010F], found[0x0112], found[0x8298] = "Some Camera", 6, "(c) somebody"
    found.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 6.0)})
    details = found.get_ifd(0x8769)
    details.update({0x9003: "2024:05:06 07:08:09", 0x927C: b"NOTE-OF-THE-MAKER SERIAL-4711 " * 9})
    details.update({0xA430: "Olga Owner", 0xA431: "SERIAL-4711", 0xA435: "LENS-0815"})
    return found


def exif_with_thumbnail(thumbnail: bytes) -> bytes:
    """An EXIF block whose second directory points to a thumbnail, which ends the block."""
    block = bytearray(exif().tobytes())
    tiff = len(b"Exif\0\0")
    first = struct.unpack_from(">I", block, tiff + 4)[0] + tiff
    at = first + 2 + 12 * struct.unpack_from(">H", block, first)[0]
    struct.pack_into(">I", block, at, len(block) - tiff)
    second = struct.pack(">H", 2) + struct.pack(">HHII", 0x0201, 4, 1, len(block) - tiff + 30)
    return bytes(block) + second + struct.pack(">HHII", 0x0202, 4, 1, len(thumbnail)) + bytes(4) + thumbnail


def iptc() -> bytes:
    """IIM datasets: a credit, and the city."""
    return b"".join(
        b"\x1c\x02" + bytes((number, 0, len(text))) + text for number, text in ((110, KEPT[2]), (90, b"Wien"))
    )


def resources() -> bytes:
    """Photoshop's, with the IPTC in them."""
    data = iptc()
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)


def jpeg() -> bytes:
    """EXIF, XMP, and IPTC in Photoshop's resources."""
    plain = pictures.saved(pictures.quarters(64, 48), "jpeg", exif=exif(), xmp=XMP)
    return plain[:2] + segment(0xED, b"Photoshop 3.0\0" + resources()) + plain[2:]


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def motion_photo() -> bytes:
    """A picture with a gain map behind it that has EXIF too, and a video that tells where it was taken."""
    place = box(b"moov", box(b"udta", box(b"\xa9xyz", b"\0\x12\x15\xc7+48.2083+016.3683/")))
    return pictures.photo(64, 48) + jpeg() + box(b"ftyp", b"mp42\0\0\0\0mp42") + box(b"mdat", bytes(999)) + place


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def extended_xmp_jpeg() -> bytes:
    """XMP that goes over two segments, cut in the middle of what is private."""
    digest, mark = b"0123456789ABCDEF0123456789ABCDEF", b"http://ns.adobe.com/xmp/extension/\0"
    cut = XMP.index(b"GPSLatitude") + 4
    parts = [(0, XMP[:cut]), (cut, XMP[cut:])]
    segments = [segment(0xE1, mark + digest + struct.pack(">II", len(XMP), at) + text) for at, text in parts]
    plain = pictures.photo(64, 48)
    return plain[:2] + b"".join(segments) + plain[2:]


def png() -> bytes:
    """EXIF, plain and compressed XMP, ImageMagick's profiles and properties."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("exif:GPSLatitude", "48,12.5N")
    info.add_text("Copyright", "(c) somebody")
    profile = f"\nexif\n{len(exif().tobytes()):8d}\n{exif().tobytes().hex()}\n"
    info.add_text("Raw profile type exif", profile, zip=True)
    info.add(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))
    return pictures.saved(pictures.quarters(64, 48), "png", exif=exif(), pnginfo=info)


def webp() -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "webp", exif=exif(), xmp=XMP, lossless=True)


def avif() -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "avif", exif=exif(), xmp=XMP)


def gif() -> bytes:
    """An animation with XMP in an application block, as Adobe has it."""
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    plain = pictures.animated("gif", frames=2, width=64, height=48)
    return plain[:-1] + b"!\xff\x0bXMP DataXMP" + XMP + trailer + plain[-1:]


def tiff(order: str = "<", *, big: bool = False, pages: int = 2, note: bytes = b"NOTE-OF-THE-MAKER") -> bytes:
    """Pages with their strips, then their directories at the file's end, with GPS, XMP, IPTC and EXIF."""
    return _Tiff(order, big, note).file(pages)


class _Tiff:
    def __init__(self, order: str, big: bool, note: bytes) -> None:
        self.order, self.big, self.note = order, big, note
        mark = b"II" if order == "<" else b"MM"
        self.data = bytearray(
            mark + (struct.pack(order + "HHHQ", 43, 8, 0, 0) if big else struct.pack(order + "HI", 42, 0))
        )

    def file(self, pages: int) -> bytes:
        pointer = 8 if self.big else 4
        for _ in range(pages):
            where = self.page()
            self.data[pointer : pointer + self.width] = struct.pack(self.order + self.code, where)
            pointer = len(self.data) - self.width
        return bytes(self.data)

    @property
    def width(self) -> int:
        return 8 if self.big else 4

    @property
    def code(self) -> str:
        return "Q" if self.big else "I"

    def page(self) -> int:
        pixels = self.put(pictures.quarters(64, 48).tobytes())
        gps = self.directory([(1, 2, b"N\0"), (2, 5, struct.pack(self.order + "6I", 48, 1, 12, 1, 30, 1))])
        exif_ = self.directory(
            [(0x9003, 2, KEPT[1] + b"\0"), (0xA431, 2, b"SERIAL-4711\0"), (0xA430, 2, b"Olga Owner\0")]
        )
        return self.directory(
            [
                (0x0100, 3, self.short(64)),
                (0x0101, 3, self.short(48)),
                (0x0102, 3, self.short(8, 8, 8)),
                (0x0103, 3, self.short(1)),
                (0x0106, 3, self.short(2)),
                (0x010F, 2, KEPT[0] + b"\0"),
                (0x0111, 4, self.long(pixels)),
                (0x0115, 3, self.short(3)),
                (0x0116, 3, self.short(48)),
                (0x0117, 4, self.long(64 * 48 * 3)),
                (0x02BC, 1, XMP),
                (0x83BB, 7, iptc()),
                (0x8298, 2, KEPT[2] + b"\0"),
                (0x8649, 7, resources()),
                (0x8769, 4, self.long(exif_)),
                (0x8825, 4, self.long(gps)),
                (0xC634, 7, self.note),
            ]
        )

    def short(self, *numbers: int) -> bytes:
        return struct.pack(f"{self.order}{len(numbers)}H", *numbers)

    def long(self, number: int) -> bytes:
        return struct.pack(self.order + "I", number)

    def put(self, data: bytes) -> int:
        self.data += bytes(len(self.data) % 2)
        at = len(self.data)
        self.data += data
        return at

    def directory(self, entries: list[tuple[int, int, bytes]]) -> int:
        table = b""
        for tag, kind, value in entries:
            count = len(value) // {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind]
            inline = value if len(value) <= self.width else struct.pack(self.order + self.code, self.put(value))
            table += struct.pack(f"{self.order}HH{self.code}", tag, kind, count) + inline.ljust(self.width, b"\0")
        return self.put(struct.pack(self.order + ("Q" if self.big else "H"), len(entries)) + table + bytes(self.width))


def heic() -> bytes:
    """A HEIC as `heif-enc` makes it, with the EXIF and XMP of a JPEG."""
    return pictures.heic_of(pictures.saved(pictures.quarters(64, 48), "jpeg", exif=exif(), xmp=XMP), "jpg")
