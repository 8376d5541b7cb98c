// GET /BOX/FORMAT/NAME: the file NAME of $FOLDER fitted into a square of BOX pixels, as jpg, webp or avif of the quality that
// the JSON $QUALITIES names for it; 415 for a source that sharp doesn't read. A process a core.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { join } from "node:path";
import sharp from "sharp";

const { FOLDER, PORT, PROCESSES, QUALITIES } = process.env;
const qualities = JSON.parse(QUALITIES);

function serve() {
  sharp.cache(false);
  sharp.concurrency(1);
  createServer(async (request, response) => {
    const [, box, format, name] = request.url.split("/");
    if (!name) return response.writeHead(404).end();
    const made = sharp(join(FOLDER, name), { sequentialRead: true })
      .rotate()
      .resize(Number(box), Number(box), { fit: "inside", withoutEnlargement: true })
      .toFormat(format, { quality: qualities[format] })
      .toBuffer();
    const data = await made.catch(() => null);
    if (!data) return response.writeHead(415).end();
    response.writeHead(200, { "Content-Type": `image/${format}`, "Content-Length": data.length }).end(data);
  }).listen(Number(PORT), "127.0.0.1");
}

if (cluster.isPrimary) for (let n = 0; n < Number(PROCESSES); n += 1) cluster.fork();
else serve();
