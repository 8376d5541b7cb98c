"""XMP as a tree of properties: read by expat in bounded steps, and written in the shortest form that readers know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.properties import PREFIXES, Name

_RDF_NS, _META_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "adobe:ns:meta/"
_XML_NS = "http://www.w3.org/XML/1998/namespace"
_MAX_ELEMENTS, _MAX_DEPTH = 100_000, 48
_ROOTS = ((_META_NS, "xmpmeta"), (_META_NS, "xapmeta"))
_LISTS = ("Alt", "Bag", "Seq")
_RETURN = {"\r": "&#13;"}
_ESCAPES = {**_RETURN, "\n": "&#10;", "\t": "&#9;", '"': "&quot;"}


@dataclass(frozen=True, slots=True)
class List:
    """An `Alt`, `Bag` or `Seq` of values, each with its language or an empty one."""

    kind: str
    items: tuple[tuple[str, "Value"], ...]


@dataclass(frozen=True, slots=True)
class Struct:
    """Values by name."""

    fields: tuple[tuple[Name, "Value"], ...]


Value = str | List | Struct
Properties = dict[Name, Value]


@dataclass(slots=True)
class _Element:
    name: Name
    attributes: dict[Name, str]
    children: list["_Element"] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class Packet:
    """What an XMP packet says: its `properties`, whether it has `extra` besides, and its wrapper."""

    def __init__(self, packet: bytes) -> None:
        """Raises Unclear for what isn't well-formed, has a DOCTYPE, or is too deep or too much."""
        self.extra = False
        self.wrapped = False
        self._open: list[_Element] = []
        self._root: _Element | None = None
        self._elements = 0
        self._parse(packet)
        self.properties: Properties = {}
        for description in self._descriptions():
            for name, value in self._fields(description):
                self.extra |= name in self.properties
                self.properties.setdefault(name, value)

    def _parse(self, packet: bytes) -> None:
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartDoctypeDeclHandler = self._doctype
        parser.XmlDeclHandler = self._declaration
        try:
            parser.Parse(packet, True)
        except expat.ExpatError as error:
            raise Unclear("XMP that isn't well-formed") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1 + len(attributes)
        if self._elements > _MAX_ELEMENTS or len(self._open) >= _MAX_DEPTH:
            raise Unclear("more XMP than is looked at")
        element = _Element(_split(name), {_split(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text.append(text)

    def _comment(self, _text: str) -> None:
        self.extra = True

    def _instruction(self, target: str, data: str) -> None:
        self.wrapped |= target == "xpacket"
        self.extra |= target != "xpacket" or data not in (_BEGIN, _END)

    def _declaration(self, *_: object) -> None:
        self.extra = True

    def _doctype(self, *_: object) -> None:
        raise Unclear("XMP with a DOCTYPE")

    # --- from elements to values --------------------------------------------------------------------------------------

    def _descriptions(self) -> Iterator[_Element]:
        root = self._root
        if root is not None and root.name in _ROOTS:
            self._note(root.attributes)
            self.extra |= len(root.children) > 1 or _says(root)
            root = next(iter(root.children), None)
        if root is None or root.name != (_RDF_NS, "RDF"):
            self.extra |= root is not None
            return
        self._note(root.attributes)
        self.extra |= _says(root)
        for child in root.children:
            self.extra |= child.name != (_RDF_NS, "Description")
            yield child

    def _note(self, unread: object) -> None:
        self.extra |= bool(unread)

    def _fields(self, element: _Element) -> Iterator[tuple[Name, Value]]:
        """The fields of a description, which are its attributes and its elements."""
        for (namespace, local), text in element.attributes.items():
            if namespace not in (_RDF_NS, _XML_NS, ""):
                yield (namespace, local), text
            else:
                self.extra |= local != "about" or bool(text)
        self.extra |= _says(element)
        for child in element.children:
            yield child.name, self._value(child)

    def _value(self, element: _Element) -> Value:
        rdf = {name: text for (namespace, name), text in element.attributes.items() if namespace == _RDF_NS}
        own = len(rdf) < len(element.attributes)
        if "resource" in rdf and not element.children:
            self.extra |= len(element.attributes) > 1 or _says(element)
            return rdf["resource"]
        if rdf.get("parseType") == "Resource":
            rest = {name: text for name, text in element.attributes.items() if name != (_RDF_NS, "parseType")}
            return self._struct(_Element(element.name, rest, element.children, element.text))
        if len(element.children) == 1 and not _says(element):
            return self._only(element, element.children[0])
        if not element.children and (not own or _says(element)):
            self._note(element.attributes)
            return "".join(element.text)
        return self._struct(element)

    def _only(self, element: _Element, child: _Element) -> Value:
        """The value of an element that has one child: a list or a description."""
        self._note(element.attributes)
        if child.name[0] == _RDF_NS and child.name[1] in _LISTS:
            self._note(child.attributes)
            self.extra |= _says(child)
            return List(child.name[1], tuple(self._items(child)))
        if child.name == (_RDF_NS, "Description"):
            return self._struct(child)
        return self._struct(element)

    def _items(self, element: _Element) -> Iterator[tuple[str, Value]]:
        for child in element.children:
            self.extra |= child.name != (_RDF_NS, "li")
            language = child.attributes.pop((_XML_NS, "lang"), "")
            yield language, self._value(child)

    def _struct(self, element: _Element) -> Value:
        fields: dict[Name, Value] = {}
        for name, value in self._fields(element):
            self.extra |= name in fields
            fields.setdefault(name, value)
        if (_RDF_NS, "value") in fields:  # a value with qualifiers
            self.extra = True
            return fields[_RDF_NS, "value"]
        return Struct(tuple(sorted(fields.items())))


def _split(name: str) -> Name:
    namespace, _, local = name.rpartition(" ")
    return namespace, local


def _says(element: _Element) -> bool:
    return any(text.strip() for text in element.text)


# --- writing ----------------------------------------------------------------------------------------------------------

_BEGIN, _END = 'begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"', 'end="w"'
_HEAD = f"<?xpacket {_BEGIN}?>"
_FOOT = f"<?xpacket {_END}?>"


def written(properties: Mapping[Name, Value], length: int, *, wrapped: bool) -> bytes | None:
    """A packet of these properties that takes so many bytes, padded with blanks; None where it takes more."""
    used = sorted({namespace for name, value in properties.items() for namespace in _namespaces(name, value)})
    declared = "".join(f' xmlns:{PREFIXES[namespace]}="{namespace}"' for namespace in used)
    texts = "".join(
        f" {_qualified(name)}={_quoted(value)}" for name, value in sorted(properties.items()) if isinstance(value, str)
    )
    others = "".join(
        _element(_qualified(name), value) for name, value in sorted(properties.items()) if not isinstance(value, str)
    )
    rdf = (
        f'<x:xmpmeta xmlns:x="{_META_NS}"><rdf:RDF xmlns:rdf="{_RDF_NS}"><rdf:Description rdf:about=""{declared}{texts}'
        + (f">{others}</rdf:Description>" if others else "/>")
        + "</rdf:RDF></x:xmpmeta>"
    ).encode()
    head, foot = (_HEAD.encode(), _FOOT.encode()) if wrapped else (b"", b"")
    if len(head) + len(rdf) + len(foot) > length:
        return None
    return (head + rdf).ljust(length - len(foot)) + foot


def _namespaces(name: Name, value: Value) -> Iterator[str]:
    yield name[0]
    if isinstance(value, Struct):
        for field_name, one in value.fields:
            yield from _namespaces(field_name, one)
    elif isinstance(value, List):
        for _, one in value.items:
            if not isinstance(one, str):
                yield from _namespaces(name, one)


def _qualified(name: Name) -> str:
    return f"{PREFIXES[name[0]]}:{name[1]}"


def _quoted(text: str) -> str:
    return f'"{escape(text, _ESCAPES)}"'


def _element(tag: str, value: Value, attributes: str = "") -> str:
    if isinstance(value, str):
        return f"<{tag}{attributes}>{escape(value, _RETURN)}</{tag}>"
    if isinstance(value, List):
        items = "".join(
            _element("rdf:li", one, f" xml:lang={_quoted(language)}" if language else "")
            for language, one in value.items
        )
        return f"<{tag}{attributes}><rdf:{value.kind}>{items}</rdf:{value.kind}></{tag}>"
    if all(isinstance(one, str) for _, one in value.fields):
        texts = "".join(f" {_qualified(name)}={_quoted(str(one))}" for name, one in value.fields)
        return f"<{tag}{attributes}{texts}/>"
    fields = "".join(_element(_qualified(name), one) for name, one in value.fields)
    return f'<{tag}{attributes} rdf:parseType="Resource">{fields}</{tag}>'
