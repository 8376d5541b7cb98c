"""Resumable uploads over HTTP: the IETF's draft-ietf-httpbis-resumable-upload."""
