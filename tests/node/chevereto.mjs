// chevereto.mjs PROGRAM URL FILE FOLDER: uploads the file as the program does by itself, and prints what it returns, as
// JSON. FOLDER is for what the program keeps.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const [program, url, file, folder] = process.argv.slice(2);

function byImgbbUploader() {
  return require("imgbb-uploader")({ apiKey: "any", cheveretoHost: url, imagePath: file });
}

/** PicGo has no Chevereto of its own: people add this plugin, and say where the address is in the response. */
async function byPicgo() {
  const { PicGo } = require("picgo");
  const picgo = new PicGo(join(folder, "config.json"));
  picgo.use(require("picgo-plugin-web-uploader"), "picgo-plugin-web-uploader");
  const settings = { url: `${url}/api/1/upload`, paramName: "source", jsonPath: "image.delete_url" };
  picgo.setConfig({ picBed: { uploader: "web-uploader", current: "web-uploader", "web-uploader": settings } });
  return picgo.upload([file]);
}

const told = await (program === "picgo" ? byPicgo() : byImgbbUploader());
process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit()); // PicGo keeps its connection
