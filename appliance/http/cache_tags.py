"""Tags of answers: by them shared caches forget all that shows an image or an album, whatever its address."""


def tags(*slugs: str) -> dict[str, str]:
    """The headers, in the two forms that caches read."""
    return {"Cache-Tag": ",".join(slugs), "Surrogate-Key": " ".join(slugs)}
