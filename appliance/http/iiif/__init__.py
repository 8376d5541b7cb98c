"""IIIF: the Image API 3.0 (level 2), and manifests of the Presentation API 3.0."""
