"""The admission rule that asks for a proof of work, while very much is uploaded."""

from appliance.limits import ProofOfWork
from appliance.uploads.admission_request import AdmissionRequest, UploadStage


class ProofRule:
    """An `AdmissionRule` for whatever begins an upload. Anyone who continues one was asked when it was created."""

    def __init__(self, proof_of_work: ProofOfWork) -> None:
        self._proof_of_work = proof_of_work

    async def check(self, request: AdmissionRequest) -> None:
        """Raises ProofRequired. Anyone who may still show a key in a form is asked when it has come."""
        if request.stage is not UploadStage.CONTINUING and not request.key_may_follow and not request.is_repeat:
            self._proof_of_work.require(request.client)
