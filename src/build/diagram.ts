import { ModelfileParser } from "../../grammar/parser.js";
import * as tokens from "../../grammar/tokens.js";

/** The parts of Chevrotain's serialised grammar that this one is made of. */
interface Production {
  type: string;
  name?: string;
  label?: string;
  definition?: readonly Production[];
}

/** A piece of track: it is entered and left at the height of its line, `up` and `down` around it. */
interface Track {
  width: number;
  up: number;
  down: number;
  draw(x: number, y: number): string;
}

const radius = 8;
const gap = 10;
const boxHeight = 26;
const characterWidth = 7.8;
const margin = 24;
const widest = 900;

/** What Ollama refuses and this grammar reads all the same. */
const refused = new Set([
  "NoSeparator",
  "WrongSeparator",
  "BadName",
  "BadRole",
  "ExtraBlank",
  "AfterQuote",
  "UnknownKeyword",
  "StrayText",
  "unknown",
  "stray",
]);

/** The grammar as one railroad diagram: an SVG without scripts, for light and dark. */
export function renderDiagram(): string {
  const parser = new ModelfileParser({ skipValidations: true });
  const rules = parser.getSerializedGastProductions() as readonly Production[];
  const parts: string[] = [];
  let x = margin;
  let y = margin;
  let rowHeight = 0;
  for (const { name, definition } of rules) {
    const track = framed(sequence(definition!.map(trackOf)));
    const width = Math.max(track.width, textWidth(name!));
    if (x > margin && x + width > widest - margin) {
      x = margin;
      y += rowHeight + 20;
      rowHeight = 0;
    }
    const line = y + 30 + track.up;
    parts.push(`<text class="rule" x="${x}" y="${y + 14}">${name}</text>`, track.draw(x, line));
    rowHeight = Math.max(rowHeight, 30 + track.up + track.down);
    x += width + 40;
  }
  y += rowHeight + 34;
  parts.push(legend(margin, y));
  return page(widest, y + 13 + margin, parts.join("\n"));
}

const light = {
  page: "#ffffff",
  ink: "#1f2328",
  line: "#59636e",
  token: "#ddf4ff",
  part: "#f6f8fa",
  refused: "#cf222e",
  refusedFill: "#fff5f5",
};

const dark: typeof light = {
  page: "#0d1117",
  ink: "#e6edf3",
  line: "#9198a1",
  token: "#12304f",
  part: "#21262d",
  refused: "#ff7b72",
  refusedFill: "#2d1517",
};

function colours({ page, ink, line, token, part, refused, refusedFill }: typeof light): string {
  return `.page { fill: ${page}; }
text { fill: ${ink}; }
path, .token, .part { stroke: ${line}; }
.token { fill: ${token}; }
.part { fill: ${part}; }
.bad { stroke: ${refused}; fill: ${refusedFill}; }`;
}

function page(width: number, height: number, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">The grammar of Modelfiles</title>
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; text-anchor: middle; }
.rule, .key { text-anchor: start; }
.rule { font-weight: 600; }
.key { font-family: system-ui, sans-serif; }
path { fill: none; }
path, .token, .part { stroke-width: 1.5; }
.bad { stroke-dasharray: 4 3; }
${colours(light)}
@media (prefers-color-scheme: dark) {
${colours(dark)}
}
</style>
<rect class="page" width="${width}" height="${height}" rx="8"/>
${content}
</svg>
`;
}

function legend(x: number, y: number): string {
  const keys = [
    [token("text", "TEXT"), "a token"],
    [part("name"), "a rule"],
    [box("either", "token bad", 13), "what Ollama refuses"],
  ] as const;
  let at = x;
  return keys
    .map(([track, words]) => {
      const drawn = `${track.draw(at, y)}\n<text class="key" x="${at + track.width + 8}" y="${y + 4}">${words}</text>`;
      at += track.width + 8 + textWidth(words) + 24;
      return drawn;
    })
    .join("\n");
}

function trackOf(production: Production): Track {
  const { type, name, label, definition = [] } = production;
  if (type === "Terminal") return terminal(name!, label!);
  if (type === "NonTerminal") return part(name!);
  const inner = definition.map(trackOf);
  if (type === "Alternation") return choice(inner);
  if (type === "Alternative") return sequence(inner);
  if (type === "Option") return bypassed(sequence(inner));
  if (type === "Repetition") return bypassed(looped(sequence(inner)));
  throw new Error(`There is no picture for ${type} yet.`);
}

/** A token; of a category, each of its members. */
function terminal(name: string, label: string): Track {
  const members = tokens.vocabulary.filter(({ CATEGORIES }) =>
    CATEGORIES?.some((category) => category.name === name),
  );
  if (members.length === 0) return token(name, label);
  return choice(members.map((member) => token(member.name, member.LABEL!)));
}

function token(name: string, label: string): Track {
  return box(label, refused.has(name) ? "token bad" : "token", boxHeight / 2);
}

function part(name: string): Track {
  return box(name, refused.has(name) ? "part bad" : "part", 3);
}

function box(text: string, kind: string, corner: number): Track {
  const width = textWidth(text) + 22;
  return {
    width,
    up: boxHeight / 2,
    down: boxHeight / 2,
    draw: (x, y) =>
      `<rect class="${kind}" x="${x}" y="${y - boxHeight / 2}" width="${width}" height="${boxHeight}" rx="${corner}"/>` +
      `<text x="${x + width / 2}" y="${y + 4}">${escaped(text)}</text>`,
  };
}

function sequence(tracks: readonly Track[]): Track {
  if (tracks.length === 1) return tracks[0]!;
  return {
    width: tracks.reduce((sum, { width }) => sum + width, gap * (tracks.length - 1)),
    up: Math.max(...tracks.map(({ up }) => up)),
    down: Math.max(...tracks.map(({ down }) => down)),
    draw: (x, y) => {
      let at = x;
      const drawn = tracks.map((track, index) => {
        const joint = index === 0 ? "" : `<path d="M${at} ${y}h${gap}"/>`;
        if (index > 0) at += gap;
        const shape = track.draw(at, y);
        at += track.width;
        return joint + shape;
      });
      return drawn.join("\n");
    },
  };
}

/** Alternatives: the first on the line, the others below it. */
function choice(tracks: readonly Track[]): Track {
  const inner = Math.max(...tracks.map(({ width }) => width));
  const side = 2 * radius + 4;
  const offsets = [0];
  for (let index = 1; index < tracks.length; index++) {
    const above = tracks[index - 1]!.down;
    offsets.push(offsets[index - 1]! + Math.max(2 * radius, above + 8 + tracks[index]!.up));
  }
  return {
    width: inner + 2 * side,
    up: tracks[0]!.up,
    down: offsets.at(-1)! + tracks.at(-1)!.down,
    draw: (x, y) =>
      tracks
        .map((track, index) => {
          const line = y + offsets[index]!;
          const end = x + side + track.width;
          const right = x + inner + 2 * side;
          const rise = line - y - 2 * radius;
          const into =
            index === 0
              ? `M${x} ${y}h${side}`
              : `M${x} ${y}${turn(1)}v${rise}${turn(1, true)}h${side - 2 * radius}`;
          const out =
            index === 0
              ? `M${end} ${y}H${right}`
              : `M${end} ${line}H${right - 2 * radius}${turn(-1)}v${-rise}${turn(-1, true)}`;
          return `<path d="${into}"/>${track.draw(x + side, line)}<path d="${out}"/>`;
        })
        .join("\n"),
  };
}

/** A way around it, above. */
function bypassed(track: Track): Track {
  const side = 2 * radius + 4;
  const height = Math.max(2 * radius, track.up + 8);
  const width = track.width + 2 * side;
  return {
    width,
    up: height,
    down: track.down,
    draw: (x, y) => {
      const rise = height - 2 * radius;
      const around =
        `M${x} ${y}${turn(-1)}v${-rise}${turn(-1, true)}H${x + width - 2 * radius}` +
        `${turn(1)}v${rise}${turn(1, true)}`;
      return (
        `<path d="M${x} ${y}h${side}"/>${track.draw(x + side, y)}<path d="M${x + side + track.width} ${y}h${side}"/>\n` +
        `<path d="${around}"/>`
      );
    },
  };
}

/** A way back, below. */
function looped(track: Track): Track {
  const side = radius + 4;
  const depth = Math.max(2 * radius, track.down + 10);
  return {
    width: track.width + 2 * side,
    up: track.up,
    down: depth,
    draw: (x, y) => {
      const right = x + side + track.width;
      const fall = depth - 2 * radius;
      const back =
        `M${right} ${y}h4${turn(1)}v${fall}a${radius} ${radius} 0 0 1 ${-radius} ${radius}` +
        `H${x + side - 4}a${radius} ${radius} 0 0 1 ${-radius} ${-radius}v${-fall}a${radius} ${radius} 0 0 1 ${radius} ${-radius}h4`;
      return (
        `<path d="M${x} ${y}h${side}"/>${track.draw(x + side, y)}<path d="M${right} ${y}h${side}"/>\n` +
        `<path d="${back}"/>`
      );
    },
  };
}

function stop(x: number, y: number): string {
  return `M${x} ${y - 7}v14`;
}

/** The start and the end of a rule. */
function framed(track: Track): Track {
  const side = 16;
  return {
    width: track.width + 2 * side,
    up: track.up,
    down: track.down,
    draw: (x, y) => {
      const right = x + side + track.width;
      const ends = `${stop(x, y)}M${x} ${y}h${side}M${right} ${y}h${side}${stop(right + side, y)}`;
      return `<path d="${ends}"/>\n${track.draw(x + side, y)}`;
    },
  };
}

/**
 * A quarter of a circle, to the right and up (-1) or down (1): from level to upright, or back to level.
 */
function turn(down: 1 | -1, level = false): string {
  const clockwise = level ? down < 0 : down > 0;
  return `a${radius} ${radius} 0 0 ${clockwise ? 1 : 0} ${radius} ${down * radius}`;
}

function textWidth(text: string): number {
  // Whole and even, so that no coordinate has a fraction.
  return 2 * Math.ceil((text.length * characterWidth) / 2);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
