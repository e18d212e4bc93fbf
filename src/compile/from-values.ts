import { readValue } from "../../grammar/values.js";
import { parameterFact, standing } from "../facts/parameters.js";
import type { Release } from "../facts/release.js";

/** A parameter's value as a Modelfile takes it, or why it takes none. */
export type Value = { text: string; note?: string } | { problem: string };

/**
 * A value that came as a number of JSON or out of `ollama show`, which prints numbers as Go prints a
 * float64: 1.048576e+06. Whole numbers are written as such, since Ollama reads nothing else for them.
 */
export function parameterValue(name: string, text: string, release: Release): Value {
  const fact = parameterFact(name);
  const how = standing(name, release);
  if (!fact || how === "unknown") {
    return { problem: `Ollama ${release.version} knows no parameter ${JSON.stringify(name)}.` };
  }
  if (how !== "accepted") {
    return { problem: `${name} is no parameter of Ollama ${release.version}; it is left out.` };
  }
  if (readValue(fact.type, text)) return { text };
  if (fact.type === "int") {
    const whole = wholeNumber(text);
    if (whole !== undefined) {
      const isExact = Number(whole) === Number(text);
      // The server converts with int64(…), which cuts (api/types.go FromMap).
      return {
        text: whole,
        ...(!isExact && {
          note: `${name} ${text} is no whole number; Ollama cuts it to ${whole}.`,
        }),
      };
    }
  }
  return { problem: `${name} does not take ${JSON.stringify(text)}; it is left out.` };
}

/** The whole part of a decimal number, by its digits. */
function wholeNumber(text: string): string | undefined {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (!match || (match[2] === "" && match[3] === "")) return undefined;
  const [, sign = "", whole = "", fraction = "", power = "0"] = match;
  const exponent = Number(power);
  if (Math.abs(exponent) > 40) return undefined;
  const digits = `${whole}${fraction}`.padEnd(whole.length + Math.max(exponent, 0), "0");
  const kept =
    digits.slice(0, Math.max(whole.length + exponent, 0)).replace(/^0+(?=\d)/, "") || "0";
  const value = `${sign === "-" && kept !== "0" ? "-" : ""}${kept}`;
  return readValue("int", value) ? value : undefined;
}
