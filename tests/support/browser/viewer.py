"""The zoom's view, as a link names it."""


def region(address: str) -> list[int]:
    return [int(each) for each in address.partition("#xywh=")[2].split(",")]
