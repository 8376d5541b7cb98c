"""A phone that uploads by the upload page: what the page sends, in its order, and nothing more."""

import base64
import json
import time
from collections.abc import Mapping
from http import HTTPStatus

from appliance.http.authentication import PROOF_HEADER
from benchmarks.load.kept_connections import KeptConnections, Reply
from tests.support.proofs import solution

CHOOSING_S = 2.0
"""How long a person looks for the photograph on a page that is there."""
POLL_S = 0.3
TUS = {"Tus-Resumable": "1.0.0"}
METADATA = {"Upload-Metadata": "filename " + base64.b64encode(b"a.jpg").decode()}
BYTES = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}


class UploadPage:
    """The page, from its opening to the end of one upload. `took_s` is from the choice on, `solving_s` a part of it."""

    def __init__(self, connections: KeptConnections, client: Mapping[str, str]) -> None:
        """`client`: the headers by which a proxy names the phone."""
        self._connections = connections
        self._client = dict(client)
        self._proof: dict[str, str] = {}
        self.took_s = self.solving_s = 0.0
        self.solved_ahead = self.was_refused = False

    def upload(self, photo: bytes) -> Reply:
        """The answer about the image. Raises OSError and HTTPException."""
        page = self._connections.ask("GET", "/", headers=self._client | {"Accept": "text/html"}).good()
        chosen_s = page.came_s + CHOOSING_S
        try:
            if b" data-proof>" in page.body:
                self._solve_ahead()
            time.sleep(max(0.0, chosen_s - time.perf_counter()))
            self.solving_s = max(0.0, time.perf_counter() - chosen_s)
            return self._send(photo)
        finally:
            self.took_s = time.perf_counter() - chosen_s

    def _solve_ahead(self) -> None:
        reply = self._connections.ask("GET", "/api/v1/challenge", headers=self._client).good()
        if (challenge := json.loads(reply.body)["challenge"]) is not None:
            self._proof = {PROOF_HEADER: solution(challenge)}
            self.solved_ahead = True

    def _send(self, photo: bytes) -> Reply:
        created = self._create(len(photo))
        if created.status == HTTPStatus.PRECONDITION_REQUIRED:
            self.was_refused = True
            began_s = time.perf_counter()
            self._proof = {PROOF_HEADER: solution(json.loads(created.body)["challenge"])}
            self.solving_s += time.perf_counter() - began_s
            created = self._create(len(photo))
        if created.status != HTTPStatus.CREATED:
            return created
        where = created.headers["Location"]
        sent = self._connections.ask("PATCH", where, photo, self._client | self._proof | TUS | BYTES)
        return self._verdict(where) if sent.status == HTTPStatus.NO_CONTENT else sent

    def _create(self, length: int) -> Reply:
        headers = self._client | self._proof | TUS | METADATA | {"Upload-Length": str(length)}
        return self._connections.ask("POST", "/api/v1/uploads", headers=headers)

    def _verdict(self, where: str) -> Reply:
        while True:
            reply = self._connections.ask("GET", where, headers=self._client)
            if reply.status != HTTPStatus.OK or json.loads(reply.body)["state"] != "processing":
                return reply
            time.sleep(POLL_S)
