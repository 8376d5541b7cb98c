"""Cache tags: with them, shared caches can purge everything that shows an image or an album, whatever its address."""


def tags(*slugs: str) -> dict[str, str]:
    """The two headers that caches read tags from."""
    return {"Cache-Tag": ",".join(slugs), "Surrogate-Key": " ".join(slugs)}
