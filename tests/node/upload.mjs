// upload.mjs CLIENT ENDPOINT FILE: uploads the file as the client does by itself, and prints where to, as JSON. A client
// that gives up is told to go on, as a person would tell it; `again` counts how often.
import { readFileSync } from "node:fs";
import Uppy from "@uppy/core";
import UppyTus from "@uppy/tus";
import * as tus from "tus-js-client";

const [client, endpoint, path] = process.argv.slice(2);
const data = readFileSync(path);
const metadata = { filename: "cat.jpg", title: client };
const DELAYS = [0, 1000, 3000, 5000]; // tus-js-client's own
const OPTIONS = {
  "tus-js-client": { chunkSize: 1_000_000 },
  "tus-js-client whole": {},
  "tus-js-client parallel": { parallelUploads: 4, chunkSize: 500_000 },
  "tus-js-client deferred": { uploadLengthDeferred: true, chunkSize: 500_000 },
  "tus-js-client with creation": { uploadDataDuringCreation: true, chunkSize: 1_000_000 },
};

let requests = 0;
const counted = {
  onBeforeRequest: () => {
    requests += 1;
  },
};

function byTusJsClient() {
  return new Promise((resolve) => {
    let again = 0;
    const upload = new tus.Upload(data, {
      endpoint,
      metadata,
      retryDelays: DELAYS,
      ...OPTIONS[client],
      ...counted,
      onSuccess: () => resolve({ url: upload.url, again }),
      onError: (fault) => {
        process.stderr.write(`${client}: ${fault.message}\n`);
        again += 1;
        setTimeout(() => upload.start(), 1000);
      },
    });
    upload.start();
  });
}

async function byUppy() {
  const uppy = new Uppy({ autoProceed: false }).use(UppyTus, { endpoint, chunkSize: 1_000_000, ...counted });
  const id = uppy.addFile({ name: "cat.jpg", type: "image/jpeg", data });
  uppy.setFileMeta(id, metadata);
  let again = 0;
  let { failed } = await uppy.upload();
  while (failed.length > 0) {
    process.stderr.write(`${client}: ${failed[0].error}\n`);
    again += 1;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    ({ failed } = await uppy.retryAll());
  }
  return { url: uppy.getFile(id).uploadURL, again };
}

const { url, again } = await (client === "uppy" ? byUppy() : byTusJsClient());
console.log(JSON.stringify({ url, again, requests }));
