"""SVG: what matplotlib draws in a fraction of its letters: each look is said once, and places to a tenth of a point."""

import re
from collections import Counter
from xml.etree import ElementTree

NAMESPACE = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
REFERENCE = r"(?:^|url\()#([\w.-]+)"  # to a name, in a link or a style
MANY = 5  # marks, from which a path is shorter
PLACES = ("d", "x", "y", "width", "height", "transform")
FONT = "text{font-family:'DejaVu Sans',Verdana,Arial,sans-serif}"
ElementTree.register_namespace("", NAMESPACE[1:-1])


def slim(drawn: bytes) -> bytes:
    """The same picture without metadata, names that nobody refers to, and groups without a reason."""
    root = ElementTree.fromstring(drawn)
    for metadata in root.findall(f"{NAMESPACE}metadata"):
        root.remove(metadata)
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = sorted({name for value in values for name in re.findall(REFERENCE, value)})
    short = {name: _letters(number) for number, name in enumerate(used)}
    for element in root.iter():
        _shorten(element, short)
    _flatten(root)
    _share_styles(root)
    _string(root, _letters(len(used)))
    _name_styles(root)
    return ElementTree.tostring(root, encoding="utf-8").replace(b" />", b"/>")


def _shorten(element: ElementTree.Element, short: dict[str, str]) -> None:
    """The names, places and styles of one element."""
    name = element.attrib.pop("id", None)
    if name in short:
        element.set("id", short[name])
    if link := element.attrib.pop(LINK, None):
        element.set("href", link)
    for key, value in element.attrib.items():
        value = re.sub(REFERENCE, lambda found: found[0].replace(found[1], short[found[1]]), value)
        if key in PLACES:
            value = re.sub(r"-?\d+\.\d+", _rounded, value)
        if key == "d":
            value = re.sub(r"\s*([A-Za-z])\s*", r"\1", value)
        if key == "style":
            value = re.sub(r"font-family: [^;]*;? ?", "", value).replace(": ", ":").replace("; ", ";").rstrip("; ")
        element.set(key, value)
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    element.tail = None
    if element.tag not in (f"{NAMESPACE}text", f"{NAMESPACE}style"):
        element.text = None


def _rounded(found: re.Match) -> str:
    value = float(found[0])
    text = f"{value:.{2 if abs(value) < 10 else 1}f}".rstrip("0").rstrip(".")  # marks are small
    return "0" if text == "-0" else text


def _letters(number: int) -> str:
    """a, b, ..., z, ba, bb, ..."""
    letters = ""
    while number or not letters:
        number, rest = divmod(number, 26)
        letters = chr(97 + rest) + letters
    return letters


def _flatten(parent: ElementTree.Element) -> None:
    """Take the children of groups that say nothing into their place, and put neighbours of one look into one group."""
    children: list[ElementTree.Element] = []
    for child in list(parent):
        _flatten(child)
        children += list(child) if child.tag == f"{NAMESPACE}g" and not child.attrib else [child]
    parent[:] = []
    for child in children:
        if len(parent) and _alike(parent[-1], child):
            parent[-1].extend(list(child))
        else:
            parent.append(child)


def _alike(one: ElementTree.Element, other: ElementTree.Element) -> bool:
    """Whether two elements are groups of one look, and so is what is in them."""
    groups = one.tag == other.tag == f"{NAMESPACE}g" and one.attrib == other.attrib and len(one) and len(other)
    return bool(groups) and all(one[-1].get(key) == other[0].get(key) for key in ("href", "style"))


def _share_styles(root: ElementTree.Element) -> None:
    """A group says the style that all in it have."""
    for group in root.iter(f"{NAMESPACE}g"):
        styles = {child.get("style", "") for child in group}
        if len(group) > 1 and len(styles) == 1 and all(styles) and "style" not in group.attrib:
            group.set("style", styles.pop())
            for child in group:
                del child.attrib["style"]


def _string(root: ElementTree.Element, name: str) -> None:
    """Many equal marks become one path that nobody sees, with the mark at each of its corners."""
    for number, group in enumerate(root.iter(f"{NAMESPACE}g")):
        links = {child.get("href", "") for child in group}
        if len(group) < MANY or len(links) > 1 or any(set(child.attrib) != {"href", "x", "y"} for child in group):
            continue
        mark = {"id": f"{name}{number}", "markerUnits": "userSpaceOnUse", "overflow": "visible"}
        style = group.attrib.pop("style", "")
        marker = ElementTree.Element(f"{NAMESPACE}marker", {**mark, **({"style": style} if style else {})})
        ElementTree.SubElement(marker, f"{NAMESPACE}use", {"href": str(links.pop())})
        corners = "L".join(f"{child.get('x')} {child.get('y')}" for child in group)
        path = ElementTree.Element(
            f"{NAMESPACE}path", {"d": f"M{corners}", "style": f"fill:none;marker:url(#{mark['id']})"}
        )
        group[:] = [marker, path]


def _name_styles(root: ElementTree.Element) -> None:
    """A style that is there several times becomes a class of CSS."""
    counts = Counter(element.get("style", "") for element in root.iter())
    classes = {style: _letters(number) for number, style in enumerate(sorted(counts)) if style and counts[style] > 2}
    for element in root.iter():
        if (style := element.get("style", "")) in classes:
            del element.attrib["style"]
            element.set("class", classes[style])
    sheet = root.find(f".//{NAMESPACE}style")
    assert sheet is not None  # matplotlib writes one
    sheet.text = "".join([sheet.text or "", FONT, *(f".{name}{{{style}}}" for style, name in classes.items())])
