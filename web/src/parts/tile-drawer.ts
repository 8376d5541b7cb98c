// Draws the tiles of the deep zoom on whole pixels of the screen, so that neighbours meet without a gap and without a seam.

import OpenSeadragon from "openseadragon";

interface Place {
  position: OpenSeadragon.Point;
  size: OpenSeadragon.Point;
}

/** Both edges are rounded, never the width: two neighbours then round the edge between them alike. */
function snap({ position, size }: Place): void {
  const pixel = 1 / OpenSeadragon.pixelDensityRatio;
  for (const axis of ["x", "y"] as const) {
    const [start, end] = [position[axis], position[axis] + size[axis]].map((edge) => Math.round(edge / pixel) * pixel) as [number, number];
    position[axis] = start;
    size[axis] = end - start;
  }
}

/** What OpenSeadragon calls of a drawer, which its types leave out. */
interface Drawing {
  draw(images: OpenSeadragon.TiledImage[]): void;
}

const CanvasDrawer = OpenSeadragon.CanvasDrawer as unknown as new (
  options: OpenSeadragon.DrawerConstructorParameters,
) => OpenSeadragon.CanvasDrawer & Drawing;

export class TileDrawer extends CanvasDrawer {
  /** OpenSeadragon would stretch each tile over its neighbours by a pixel, which cuts through lines of text. */
  minimumOverlapRequired(): boolean {
    return false;
  }

  override draw(images: OpenSeadragon.TiledImage[]): void {
    for (const { tile } of images.flatMap((image) => image.getTilesToDraw())) {
      if (tile.position && tile.size) snap({ position: tile.position, size: tile.size });
    }
    super.draw(images);
  }
}
