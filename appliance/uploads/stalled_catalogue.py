"""Uploads while the catalogue doesn't confirm changes: they are refused before their bytes come."""

from appliance.catalogue import Catalogue
from appliance.uploads.admission_request import AdmissionRequest, UploadStage


class StalledCatalogue:
    """An `AdmissionRule`. More bytes of an upload that was admitted are still received: they need no row."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def check(self, request: AdmissionRequest) -> None:
        """Raises CatalogueUnavailable."""
        if request.stage is not UploadStage.CONTINUING and not request.is_repeat:
            self._catalogue.require_answering()
