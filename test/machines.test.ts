import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generateValidators } from "../src/build/validators.mjs";
import facts from "../src/facts/hardware.json" with { type: "json" };
import factsSchema from "../src/facts/hardware.schema.json" with { type: "json" };
import { InputError, type Host } from "../src/host.js";
import { findDevice, hardware } from "../src/machines/hardware.js";
import type { Gpu, Machine } from "../src/machines/machine.js";
import { preset, presetAsYaml, presetNames } from "../src/machines/presets.js";
import { profileAsYaml } from "../src/machines/print.js";
import { metalWorkingSet, profileFromValue, readProfile } from "../src/machines/profile.js";
import { resolveMachine } from "../src/machines/resolve.js";
import { exactSize, formatBytes, parseSize } from "../src/machines/sizes.js";
import type { Locate } from "../src/yaml.js";
import { runs } from "./runs.js";

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** Message and place of the InputError that `reading` ends in: "2:6 Message." */
async function complaint(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  const { line, column } = error.place ?? {};
  return `${line ?? "-"}:${column ?? "-"} ${error.message}`;
}

const inRam = (rest: string): string => `ram: 16GiB\n${rest}`;
const withGpu = (gpu: string): string => inRam(`gpus:\n  - {${gpu}}\n`);
const readGpu = async (gpu: string, more = ""): Promise<Gpu> =>
  (await readProfile(withGpu(gpu) + more, "m.yaml")).gpus[0]!;

describe("sizes", () => {
  test.each([
    ["256GiB", 256 * GiB],
    ["15360MiB", 15360 * MiB],
    ["1.5 GB", 1.5e9],
    ["1.5GiB", 1.5 * GiB],
    ["2tib", 2 * 2 ** 40],
    ["8kb", 8000],
    ["64 B", 64],
    ["16106127360", 16106127360],
    [16106127360, 16106127360],
    [0, 0],
    ["0.1KiB", 102],
  ])("%j is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    "256G",
    "256g",
    "256Gi",
    "-1",
    "-1GiB",
    "",
    " 1GiB",
    "1 GiB ",
    "1  GiB",
    "GiB",
    "1e3",
    "1,5GiB",
    "1.5",
    ".5GiB",
    "99999999TiB",
    "0x10",
    "1constructor",
    "NaN",
    "Infinity",
  ])("%j is no size", (text) => expect(parseSize(text)).toBeUndefined());

  test.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53])("%d is no size", (number) =>
    expect(parseSize(number)).toBeUndefined(),
  );

  test.each([
    [14.8 * GiB, "14.80 GiB"],
    [247588783616, "230.6 GiB"],
    [457 * MiB, "457 MiB"],
    [99.99 * GiB, "99.99 GiB"],
    [99.996 * GiB, "100.0 GiB"],
    [1023.6 * MiB, "1.00 GiB"],
    [1023.4 * MiB, "1023 MiB"],
    [1023.7 * KiB, "1 MiB"],
    [3 * KiB, "3 KiB"],
    [12, "12 B"],
    [0, "0 B"],
    [-3 * GiB, "-3.00 GiB"],
  ])("%d bytes read %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test("an exact size is read back", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.constantFrom(1, KiB, MiB, GiB), (count, unit) => {
        const bytes = Math.min(count, 2 ** 20) * unit;
        expect(parseSize(exactSize(bytes))).toBe(bytes);
      }),
    );
  });
});

describe("facts", () => {
  test("fit their schema", () => {
    const ajv = new Ajv({ strictTypes: false });
    expect(ajv.validate(factsSchema as object, facts), ajv.errorsText()).toBe(true);
  });

  test("have no id twice, and machines of known devices", async () => {
    const { devices, machines } = await hardware();
    const ids = devices.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(machines.map(({ id }) => id.toLowerCase())).size).toBe(machines.length);
    const used = machines.flatMap(({ gpus }) => gpus.map(({ device }) => device));
    expect(used.filter((device) => !ids.includes(device))).toEqual([]);
  });

  test("name every device by id and by name", async () => {
    const { devices } = await hardware();
    for (const device of devices) {
      expect(findDevice(devices, device.id)).toEqual({ device, certain: true });
      expect(findDevice(devices, device.name)).toEqual({ device, certain: true });
    }
  });

  test("agree with the rule for Metal", async () => {
    const { devices, machines } = await hardware();
    for (const { gpus, ram } of machines) {
      for (const { device: id, memory } of gpus) {
        const device = devices.find((one) => one.id === id);
        if (device?.vendor === "apple") expect(memory).toBe(metalWorkingSet(ram, device));
      }
    }
  });

  test.each([
    ["NVIDIA GeForce RTX 4090", undefined, "rtx-4090"],
    ["rtx 4090", undefined, "rtx-4090"],
    ["4090", undefined, "rtx-4090"],
    ["NVIDIA GeForce RTX 4090 Laptop GPU", undefined, "rtx-4090-laptop"],
    ["NVIDIA Tesla T4", undefined, "tesla-t4"],
    ["t4", undefined, "tesla-t4"],
    ["Tesla V100-SXM2-16GB", undefined, "tesla-v100-16g"],
    ["V100 32 GB", undefined, "tesla-v100-32g"],
    ["NVIDIA A100-SXM4-80GB", undefined, "a100-80g-sxm"],
    ["NVIDIA A100 80GB PCIe", undefined, "a100-80g-pcie"],
    ["NVIDIA H100 80GB HBM3", undefined, "h100-sxm"],
    ["NVIDIA RTX 6000 Ada Generation", undefined, "rtx-6000-ada"],
    ["A6000", undefined, "rtx-a6000"],
    ["NVIDIA RTX PRO 6000 Blackwell Workstation Edition", undefined, "rtx-pro-6000-blackwell"],
    ["AMD Radeon RX 7900 XTX", undefined, "rx-7900-xtx"],
    ["7900 XTX", undefined, "rx-7900-xtx"],
    ["AMD Instinct MI300X", undefined, "mi300x"],
    ["AMD Radeon 8060S Graphics", undefined, "ryzen-ai-max-395"],
    ["Intel(R) Arc(TM) B580 Graphics", undefined, "arc-b580"],
    ["Apple M3 Max", undefined, "apple-m3-max-30-core"],
    ["RTX 3060", undefined, "rtx-3060-12g"],
    ["RTX 4060 Ti", 16380 * MiB, "rtx-4060-ti-16g"],
    ["RTX 4060 Ti", 8188 * MiB, "rtx-4060-ti-8g"],
  ])("know %s", async (name, memory, id) => {
    const match = findDevice((await hardware()).devices, name, memory);
    expect(match && "device" in match ? match.device.id : match).toBe(id);
  });

  test.each(["", "GPU", "RTX", "GTX 1060 3GB", "RTX 9999", "Voodoo 2", "toString"])(
    "do not know %j",
    async (name) => expect(findDevice((await hardware()).devices, name)).toBeUndefined(),
  );
});

describe("a profile", () => {
  test("says everything itself", async () => {
    const text = `name: 8xT4
os: linux
ram: 256GiB
ram_free: 250GiB
swap: 8GiB
cores: 32
gpus:
  - name: Tesla T4
    count: 8
    memory: 15360MiB
    free: 14814MiB
    backend: cuda
    compute: "7.5"
    driver: "12.4"
    integrated: false
storage: nvme
ollama: "0.32.15"
server: { OLLAMA_NUM_PARALLEL: 1, OLLAMA_FLASH_ATTENTION: true }
`;
    const gpu = {
      name: "Tesla T4",
      backend: "cuda",
      total: 15360 * MiB,
      free: 14814 * MiB,
      compute: "7.5",
      driver: "12.4",
      integrated: false,
    };
    expect(await readProfile(text, "m.yaml")).toEqual({
      name: "8xT4",
      os: "linux",
      memory: { total: 256 * GiB, free: 250 * GiB, swap: 8 * GiB },
      cores: 32,
      gpus: Array.from({ length: 8 }, () => gpu),
      storage: "nvme",
      ollama: "0.32.15",
      server: { OLLAMA_NUM_PARALLEL: "1", OLLAMA_FLASH_ATTENTION: "true" },
    });
  });

  test("may say very little", async () => {
    expect(await readProfile("ram: 64GiB", "m.yaml")).toEqual({
      name: "CPU, 64.00 GiB",
      os: "linux",
      memory: { total: 64 * GiB, free: 62 * GiB, swap: 0 },
      gpus: [],
      server: {},
    });
    const { name, gpus } = await readProfile(withGpu("name: T4, count: 2"), "m.yaml");
    expect(name).toBe("2 × Tesla T4, 16.00 GiB");
    expect(gpus).toHaveLength(2);
  });

  test("may be JSON, with tabs", async () => {
    const text = '{\n\t"ram": "8GiB",\n\t"gpus": [\n\t\t{ "name": "L4" }\n\t]\n}\n';
    expect((await readProfile(text, "m.json")).gpus[0]!.name).toBe("L4");
  });

  test("has a tenth of a small memory taken", async () => {
    const { memory } = await readProfile("ram: 10GiB", "m.yaml");
    expect(memory.free).toBe(9 * GiB);
  });

  test("fills in what a known name says", async () => {
    expect(await readGpu("name: NVIDIA GeForce RTX 4090")).toEqual({
      name: "GeForce RTX 4090",
      backend: "cuda",
      total: 24564 * MiB,
      free: 24080 * MiB,
      compute: "8.9",
      integrated: false,
    });
    expect(await readGpu("name: rx-7900-xtx")).toEqual({
      name: "Radeon RX 7900 XTX",
      backend: "rocm",
      total: 24560 * MiB,
      free: 24560 * MiB,
      compute: "gfx1100",
      integrated: false,
    });
  });

  test("wins over what a known name says", async () => {
    expect(
      await readGpu(
        "name: RTX 3060, memory: 8GiB, backend: vulkan, compute: 8.0, integrated: true",
      ),
    ).toEqual({
      name: "RTX 3060",
      backend: "vulkan",
      total: 8 * GiB,
      free: 8 * GiB,
      compute: "8.0",
      integrated: true,
    });
  });

  test("knows Windows", async () => {
    expect(await readGpu("name: RTX 4090", "os: windows")).toMatchObject({ free: 24563 * MiB });
    expect(await readGpu("name: RX 7900 XTX", "os: windows")).toMatchObject({ backend: "rocm" });
    expect(await readGpu("name: RX 6800 XT", "os: windows")).toMatchObject({ backend: "vulkan" });
  });

  test("knows how much Metal allows", async () => {
    const machine = await readProfile("ram: 32GiB\ngpus: [{ name: Apple M1 Pro }]", "m.yaml");
    expect(machine.os).toBe("darwin");
    // 21845.34 MiB, as the engine logs it on such a machine.
    expect(machine.gpus[0]).toEqual({
      name: "Apple M1 Pro",
      backend: "metal",
      total: 22906503168,
      free: 22906503168,
      integrated: true,
    });
    const large = await readProfile("ram: 512GiB\ngpus: [{ name: Apple M3 Ultra }]", "m.yaml");
    expect(large.gpus[0]!.total).toBe(464 * GiB);
    const newer = await readProfile("ram: 64GiB\ngpus: [{ name: Apple M9 }]", "m.yaml");
    expect(newer.gpus[0]).toMatchObject({ backend: "metal", total: 48 * GiB, integrated: true });
    const raised = "ram: 64GiB\ngpus: [{ name: Apple M1 Max, memory: 60GiB, free: 60GiB }]";
    expect((await readProfile(raised, "m.yaml")).gpus[0]!.free).toBe(60 * GiB);
  });

  test("describes a GPU that nobody knows", async () => {
    expect(await readGpu("name: GeForce RTX 9999, memory: 64GiB")).toEqual({
      name: "GeForce RTX 9999",
      backend: "cuda",
      total: 64 * GiB,
      free: 64 * GiB,
      integrated: false,
    });
    expect(await readGpu("memory: 80GB, backend: cuda")).toMatchObject({ name: "cuda GPU" });
  });

  test("keeps numbers as they are written", async () => {
    const { ollama } = await readProfile(inRam("ollama: 0.30"), "m.yaml");
    expect(ollama).toBe("0.30");
    expect(await readGpu("name: T4, compute: 7.5, driver: 550.10")).toMatchObject({
      compute: "7.5",
      driver: "550.10",
    });
    expect(await readGpu("name: 4090")).toMatchObject({ name: "GeForce RTX 4090" });
  });

  test("may reuse parts of itself", async () => {
    const text = inRam("gpus:\n  - &t { name: T4, free: 14GiB }\n  - { <<: *t, free: 13GiB }\n");
    const { gpus } = await readProfile(text, "m.yaml");
    expect(gpus.map(({ name, free }) => [name, free])).toEqual([
      ["Tesla T4", 14 * GiB],
      ["Tesla T4", 13 * GiB],
    ]);
    const several = inRam("gpus:\n  - &t { name: T4 }\n  - { <<: [*t, { count: 2 }] }\n");
    expect((await readProfile(several, "m.yaml")).gpus).toHaveLength(3);
  });

  test("takes any name for a server variable that an environment takes", async () => {
    const text = inRam("server: { constructor: 1, toString: x, OLLAMA_HOST: '' }");
    const { server } = await readProfile(text, "m.yaml");
    expect(Object.entries(server)).toEqual([
      ["constructor", "1"],
      ["toString", "x"],
      ["OLLAMA_HOST", ""],
    ]);
  });
});

const lineSeven: Locate = (path) => ({ line: 7, column: path.length });

describe("a broken profile", () => {
  test.each([
    // Sizes.
    ['ram: "256G"', '1:6 ram: "256G" has no unit that can be trusted. Write 256GiB or 256GB.'],
    ["ram: 1.5Ti", '1:6 ram: "1.5Ti" has no unit that can be trusted. Write 1.5TiB or 1.5TB.'],
    ["ram: 64", "1:6 ram is 64 bytes. Did you mean 64GiB?"],
    ["ram: 10000", "1:6 ram is 10000 bytes. Add a unit, such as MiB."],
    ["ram: 0", "1:6 ram is 0. Write the total, such as 16GiB."],
    ["ram: -5", "1:6 ram: -5 is negative. Sizes are 0 or more."],
    ["ram: -5GiB", '1:6 ram: "-5GiB" is negative. Sizes are 0 or more.'],
    ["ram: 1.5", "1:6 ram: 1.5 is no whole number of bytes. Add a unit, such as GiB."],
    [
      "ram: 1e30",
      '1:6 ram: "1e30" is no size. Write bytes, or a number with its unit, such as 16GiB.',
    ],
    [
      "ram: 1e30 GiB",
      '1:6 ram: "1e30 GiB" is no size. Write bytes, or a number with its unit, such as 16GiB.',
    ],
    [`ram: ${"9".repeat(20)}GiB`, `1:6 ram: "${"9".repeat(20)}GiB" is more than any computer has.`],
    ['{ "ram": 1e30 }', expect.stringMatching(/^1:10 ram: "1e30" is no size\./)],
    [
      "ram: .inf",
      '1:6 ram: ".inf" is no size. Write bytes, or a number with its unit, such as 16GiB.',
    ],
    [
      "ram: 16iB",
      '1:6 ram: "16iB" is no size. Write bytes, or a number with its unit, such as 16GiB.',
    ],
    ["ram: 99999999TiB", '1:6 ram: "99999999TiB" is more than any computer has.'],
    [`ram: ${"9".repeat(400)}`, `1:6 ram: "${"9".repeat(40)}…" is more than any computer has.`],
    ["ram: []", "1:6 ram takes a size such as 16GiB, not a list."],
    ["ram:", "1:1 ram has no value."],
    ["name: x", "1:1 ram is missing. Add ram: 16GiB."],
    [inRam("ram_free: 32GiB"), "2:11 ram_free is 32.00 GiB, more than the 16.00 GiB of ram."],
    [inRam("ram_free: -1GiB"), '2:11 ram_free: "-1GiB" is negative. Sizes are 0 or more.'],
    [inRam("swap: -1"), "2:7 swap: -1 is negative. Sizes are 0 or more."],
    [inRam("swap: 8G"), '2:7 swap: "8G" has no unit that can be trusted. Write 8GiB or 8GB.'],
    // Keys and values.
    [inRam("gpu: []"), '2:1 Unknown key "gpu". Did you mean "gpus"?'],
    ["rram: 16GiB", '1:1 Unknown key "rram". Did you mean "ram"?'],
    [
      withGpu("name: T4, vram: 16GiB"),
      '3:16 Unknown key "vram". Known: name, count, memory, free, overhead, backend, compute, driver, integrated.',
    ],
    [inRam("os: windoze"), '2:5 "windoze" is no operating system. Valid: linux, windows, darwin.'],
    [inRam("storage: disk"), '2:10 "disk" is no kind of storage. Valid: nvme, ssd, hdd, network.'],
    [inRam("cores: 0"), "2:8 cores is 0, less than 1."],
    [inRam("cores: -4"), "2:8 cores is -4, less than 1."],
    [inRam("cores: 100000"), "2:8 cores is 100000, more than 65536."],
    [inRam("cores: many"), '2:8 cores takes a whole number, not "many".'],
    [inRam("ollama: newest"), '2:9 "newest" is no Ollama release. Write it like 0.32.15.'],
    [inRam("name: [x]"), "2:7 name takes a text or a number, not a list."],
    [
      inRam("server: { A-B: 1 }"),
      '2:11 "A-B" is no name of a variable. Write it like OLLAMA_NUM_PARALLEL.',
    ],
    [inRam("server: { A: [1] }"), "2:14 A takes a text, a number or true or false, not a list."],
    [inRam("server: { A: }"), "2:11 A has no value."],
    // GPUs.
    [inRam("gpus: Tesla T4"), '2:7 gpus takes a list, not "Tesla T4".'],
    [inRam("gpus: [Tesla T4]"), '2:8 gpus[0] takes a mapping, not "Tesla T4".'],
    [withGpu("name: T4, count: 1025"), "3:23 count is 1025, more than 1024."],
    [withGpu("name: T4, count: 0"), "3:23 count is 0, less than 1."],
    [
      inRam("gpus:\n  - { name: T4, count: 1000 }\n  - { name: L4, count: 25 }"),
      "4:24 More than 1024 GPUs are listed in all.",
    ],
    [
      withGpu("name: RTX 4060 Ti"),
      '3:12 GPU "RTX 4060 Ti" comes with different memory. Write "GeForce RTX 4060 Ti 8GB" or "GeForce RTX 4060 Ti 16GB", or add memory.',
    ],
    [
      withGpu("name: GeForce RTX 4990"),
      '3:12 GPU "GeForce RTX 4990" is not known. Did you mean "GeForce RTX 4090"?',
    ],
    [withGpu("name: Voodoo 2"), '3:12 GPU "Voodoo 2" is not known. Add memory and backend.'],
    [
      withGpu(""),
      "3:5 This GPU has neither a name nor memory and backend. Add memory and backend.",
    ],
    [withGpu("backend: cuda"), "3:5 This GPU has neither a name nor memory. Add memory."],
    [
      withGpu("name: Radeon 8060S"),
      '3:12 The memory of GPU "Radeon 8060S" is not known. Add memory.',
    ],
    [withGpu("name: T4, memory: 0"), "3:24 memory is 0. Write what the driver reports."],
    [
      withGpu("name: T4, memory: -16GiB"),
      '3:24 memory: "-16GiB" is negative. Sizes are 0 or more.',
    ],
    [withGpu("name: T4, free: -1"), "3:22 free: -1 is negative. Sizes are 0 or more."],
    [
      withGpu("name: T4, memory: 1e30GiB"),
      '3:24 memory: "1e30GiB" is no size. Write bytes, or a number with its unit, such as 16GiB.',
    ],
    [withGpu("name: T4, memory: 16"), "3:24 memory is 16 bytes. Did you mean 16GiB?"],
    [
      withGpu("name: T4, free: 20GiB"),
      "3:22 free is 20.00 GiB, more than the 15.00 GiB of memory.",
    ],
    [
      withGpu("name: T4, backend: opencl"),
      '3:25 "opencl" is no backend. Valid: cuda, rocm, metal, vulkan, sycl.',
    ],
    [
      withGpu("name: T4, compute: new"),
      '3:25 "new" is no CUDA compute capability or gfx id. Write it like 8.9.',
    ],
    [withGpu("name: Apple M2") + "os: linux", "3:12 Metal runs on macOS alone, and os is linux."],
    // The whole.
    ["", "1:1 The profile is empty. `modelfile-lint machine NAME` prints an example."],
    ["# nothing\n", "1:1 The profile is empty. `modelfile-lint machine NAME` prints an example."],
    ["- ram: 16GiB", "1:1 A profile is a mapping, not a list."],
    ["16GiB", '1:1 A profile is a mapping, not "16GiB".'],
    // YAML.
    ["a:\n\t- b", "2:1 A tab indents this line. Use spaces."],
    ["a: b: c", '1:4 A second ":" on one line. Put the value in quotes.'],
    ["ram: 1GiB\n os: linux", "2:1 This line is indented too far."],
    ["ram 1GiB\nos: linux", '1:1 A ":" is missing on this line.'],
    ["a:\n  b: 1\n c: 2", "3:1 The indentation of this line fits none of the lines above."],
    [
      "gpus:\n- name: T4\n count: 2",
      '3:1 A "-" is missing, or this line belongs further to the right.',
    ],
    ["ram: 1GiB\nfoo", '2:1 A ":" is missing after this.'],
    ["gpus: [1\nos: x", '2:1 A "]" is missing before this.'],
    ["gpus: {a: 1\nos: x", '2:1 A "}" is missing before this.'],
    ['"foo', '1:5 Missing closing "quote.'],
    ['name: "C:\\models"', '1:10 "\\m" is no escape in double quotes. Use single quotes.'],
    ["name: @x", '1:7 A text that starts with "@" needs quotes.'],
    ["name: *x", '1:7 No anchor "&x" stands above.'],
    ["ram: !size 1GiB", "1:6 This tag has no meaning here. Leave it out."],
    ["ram: 1GiB\nram: 2GiB", '2:1 Key "ram" stands here a second time.'],
    [
      "ram: 1GiB\n---\nram: 2GiB",
      "2:1 A second document begins here. One file holds one document.",
    ],
    ["? [a]\n: b", "1:3 A key is one word or one quoted text."],
    ["__proto__: 1", '1:1 "__proto__" cannot be a key.'],
    [inRam("server: { __proto__: 1 }"), '2:11 "__proto__" cannot be a key.'],
    ["constructor: 1", expect.stringMatching(/^1:1 Unknown key "constructor"\. Known: name, /)],
    [inRam("<<: 5"), '2:1 "<<" takes a mapping or an alias of one.'],
    ["%YAML 9\n---\nram: 1GiB", "1:7 YAML stops here: Unsupported YAML version 9."],
    ["ram: 1\0", "-:- A NUL byte: this is no text file."],
  ])("%j", async (text, expected) => {
    expect(await complaint(readProfile(text, "m.yaml"))).toEqual(expected);
  });

  test("names its file", async () => {
    const error = await readProfile("ram: 64", "a/b.yaml").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ place: { path: "a/b.yaml", line: 1, column: 6 } });
  });

  test("counts lines whatever ends them, and no byte order mark", async () => {
    const windows = "\uFEFFname: x\r\nram: 64\r\n";
    expect(await complaint(readProfile(windows, "m.yaml"))).toMatch(/^2:6 /);
    expect(await complaint(readProfile("\uFEFFram: 64", "m.yaml"))).toMatch(/^1:6 /);
  });

  test("inside another file is placed there", async () => {
    const reading = profileFromValue({ ram: "1GiB", gpus: [{ name: 5.5 }] }, lineSeven, "x.yaml");
    expect(await complaint(reading)).toBe('7:3 GPU "5.5" is not known. Add memory and backend.');
    const nowhere = profileFromValue({ ram: "16G" }, () => undefined, "x.yaml");
    expect(await complaint(nowhere)).toMatch(/^-:- ram: "16G" has no unit/);
    expect(await complaint(profileFromValue(undefined, lineSeven, "x"))).toMatch(/is empty/);
    expect(await complaint(profileFromValue({ ram: Number.NaN }, lineSeven, "x"))).toBe(
      "7:1 ram: NaN is no size. Write bytes, or a number with its unit, such as 16GiB.",
    );
  });
});

describe("hostile text", () => {
  const bomb = [
    "a: &a [x, x, x, x, x, x, x, x, x, x]",
    ..."bcdefghij".split("").map((key, i) => {
      const before = "abcdefghi"[i]!;
      return `${key}: &${key} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]`;
    }),
  ].join("\n");
  const random = new Uint8Array(50_000).map((_, i) => (i * 7919 + (i >> 3) * 104729) % 256);

  test.each([
    ["alias bomb", bomb, /Aliases make this document too large/],
    ["alias of itself", "ram: &a [*a, *a]", /Aliases nest too deeply/],
    ["merge of itself", "&a\nram: 1GiB\n<<: *a", /Aliases nest too deeply/],
    ["deep lists", "[".repeat(10_000) + "]".repeat(10_000), /nest deeper than 64/],
    ["deep mappings", "{a: ".repeat(10_000), /nest deeper than 64/],
    ["deep dashes", "- ".repeat(10_000) + "x", /nest deeper than 64/],
    ["deep questions", "? ".repeat(10_000) + "x", /nest deeper than 64/],
    ["deep keys", Array.from({ length: 340 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), /deeper/],
    ["a megabyte", "x".repeat(2 ** 20), /At most 64 KiB can be read, and the file has 1024 KiB/],
    ["many keys", "a:\n".repeat(20_000), /a second time/],
    ["many different keys", Array.from({ length: 9000 }, (_, i) => `k${i}:`).join("\n"), /Unknown/],
    ["many empty lists", "[]".repeat(32_000), InputError],
    ["many brackets closed", "]".repeat(64_000), InputError],
    ["many anchors", "&a ".repeat(20_000), InputError],
    ["many documents", "---\n".repeat(16_000), /second document/],
    ["many quotes", '"'.repeat(64_000), InputError],
    ["many escapes", `ram: "${"\\\n".repeat(32_000)}"`, InputError],
    ["a long number", `ram: ${"1".repeat(60_000)}`, /more than any computer has/],
    ["a long size", `ram: 1${" ".repeat(60_000)}x`, /is no size/],
    ["a long key", `? ${"k".repeat(60_000)}\n: 1`, /Unknown key "k{40}…"/],
    ["a long GPU name", withGpu(`name: ${"12 ".repeat(20_000)}`), /is not known/],
    ["binary", new TextDecoder("latin1").decode(random), InputError],
    ["lone surrogates", "ram: \ud800\udc00\udfff", InputError],
    ["escapes for terminals", "ram: \u001b[31m1", /^ram: "\\u001b\[31m1" is no size/],
  ])(
    "%s",
    async (_, text, message) => {
      await expect(readProfile(text, "m.yaml")).rejects.toThrow(message);
    },
    5000,
  );

  test("of any kind gives a machine or an InputError", async () => {
    const keys = fc.constantFrom(
      ..."name os ram ram_free swap cores gpus storage ollama server memory free count backend".split(
        " ",
      ),
    );
    const scraps = fc.constantFrom(
      ..."16GiB|- |: |{|}|[|]|,|\n|\n  |&a |*a|<<: *a|!!str |'|\"|# |T4|cuda|-1|0.30|~|? |---\n|| |>|%".split(
        "|",
      ),
    );
    const json = fc.json({ maxDepth: 4 });
    const soup = fc.array(fc.oneof(keys, scraps, fc.string()), { maxLength: 30 });
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      json,
      soup.map((all) => all.join("")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (input) => {
        const result = await readProfile(input, "m.yaml").catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
        else expect(result).toHaveProperty("memory.total");
      }),
      { numRuns: runs(200) },
    );
  });

  test("as values gives a machine or an InputError", async () => {
    const size = fc.oneof(fc.constantFrom("16GiB", "1G", "0", ""), fc.double(), fc.anything());
    const gpu = fc.record(
      {
        name: fc.oneof(fc.constantFrom("T4", "Apple M2"), fc.anything()),
        memory: size,
        free: size,
        count: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const profile = fc.record(
      { ram: size, ram_free: size, swap: size, gpus: fc.oneof(fc.array(gpu), fc.anything()) },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(profile, async (value) => {
        const reading = profileFromValue(value, () => undefined, "m");
        const error = await reading.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error) expect(error).toBeInstanceOf(InputError);
      }),
      { numRuns: runs(120) },
    );
  });
});

describe("presets", async () => {
  const names = await presetNames();

  test("are 44", () => expect(names).toHaveLength(44));

  test.each(names)("%s is read back", async (name) => {
    const machine = await preset(name);
    expect(machine?.name).toBe(name);
    expect(await readProfile((await presetAsYaml(name))!, "m.yaml")).toEqual(machine);
  });

  test("are found in any case", async () => {
    expect(await preset("8XV100-32G")).toEqual(await preset("8xV100-32g"));
    expect(await preset("constructor")).toBeUndefined();
    expect(await presetAsYaml("none")).toBeUndefined();
  });

  test("say what the facts say", async () => {
    expect(await preset("8xV100-32g")).toMatchObject({
      os: "linux",
      cores: 40,
      memory: { total: 512 * GiB, free: 510 * GiB, swap: 0 },
    });
    const { gpus } = (await preset("mac-studio-m3-ultra-512g"))!;
    expect(gpus).toMatchObject([{ backend: "metal", total: 464 * GiB, free: 464 * GiB }]);
  });

  test("print as profiles", async () => {
    expect(await presetAsYaml("2xp40-64g")).toBe(`# two Tesla P40, 64 GB
# compute capability 6.1: flash attention without tensor cores
name: "2xp40-64g"
os: linux
ram: 64GiB
ram_free: 62GiB
swap: 0
cores: 16
gpus:
  - name: Tesla P40
    count: 2
    memory: 23040MiB
    free: 23040MiB
    backend: cuda
    compute: "6.1"
    integrated: false
`);
  });

  test("any machine that is printed is read back", async () => {
    const bytes = fc.oneof(
      fc.integer({ min: 2 ** 20, max: 2 ** 45 }),
      fc.integer({ min: 1, max: 512 }).map((n) => n * GiB),
    );
    const text = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
      .filter((name) => name.trim() === name && !name.includes("\0"));
    const gpu = fc
      .record({
        name: text.map((name) => `?${name}`),
        backend: fc.constantFrom<Gpu["backend"]>("cuda", "rocm", "vulkan", "sycl"),
        total: bytes,
        free: bytes,
        compute: fc.constantFrom("7.5", "12.0", "gfx1100"),
        driver: fc.constantFrom("550", "12.40"),
        integrated: fc.boolean(),
      })
      .map((one) => ({ ...one, free: Math.min(one.free, one.total) }));
    const machine: fc.Arbitrary<Machine> = fc
      .record({
        name: text,
        os: fc.constantFrom<Machine["os"]>("linux", "windows", "darwin"),
        memory: fc.record({ total: bytes, free: bytes, swap: fc.oneof(fc.constant(0), bytes) }),
        cores: fc.integer({ min: 1, max: 512 }),
        gpus: fc.array(fc.tuple(gpu, fc.integer({ min: 1, max: 4 })), { maxLength: 4 }),
        storage: fc.constantFrom<NonNullable<Machine["storage"]>>("nvme", "network"),
        ollama: fc.constantFrom("0.30", "0.32.15", "0.6.5-rc1"),
        server: fc.dictionary(
          fc.constantFrom("OLLAMA_A", "toString"),
          fc.string().filter((value) => !value.includes("\0")),
        ),
      })
      .map(({ memory, gpus, server, ...rest }) => ({
        ...rest,
        server: { ...server },
        memory: { ...memory, free: Math.min(memory.free, memory.total) },
        gpus: gpus.flatMap(([one, count]) => Array.from({ length: count }, () => one)),
      }));
    await fc.assert(
      fc.asyncProperty(machine, async (one) => {
        expect(await readProfile(profileAsYaml(one), "m.yaml")).toEqual(one);
      }),
      { numRuns: runs(50) },
    );
  });
});

/** A host with a few files in /project. */
function hostWith(files: Readonly<Record<string, string | Uint8Array>>): Host {
  const bytesOf = (path: string): Uint8Array | undefined => {
    const content = files[path];
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  };
  return {
    resolve: (folder, path) =>
      path.startsWith("/") ? path : `${folder}/${path.replace(/^\.\//, "")}`,
    stat: (path) => {
      const bytes = bytesOf(path);
      if (path === "/project/folder.yaml") return Promise.resolve({ kind: "folder", size: 0 });
      return Promise.resolve(bytes && { kind: "file", size: bytes.length });
    },
    read: (path) => {
      const bytes = bytesOf(path);
      return bytes && !path.includes("locked")
        ? Promise.resolve(bytes)
        : Promise.reject(new Error("EACCES"));
    },
    list: () => Promise.resolve([]),
    variable: () => undefined,
  };
}

describe("a reference", () => {
  const utf16 = new Uint8Array([0xff, 0xfe, ...Buffer.from("ram: 4GiB", "utf16le")]);
  const host = hostWith({
    "/project/mine.yaml": "ram: 1GiB",
    "/project/mine.json": '{ "ram": "2GiB" }',
    "/project/mine": "ram: 3GiB",
    "/project/2x3090": "ram: 5GiB",
    "/project/utf16.yaml": utf16,
    "/project/latin1.yaml": new Uint8Array([0x23, 0xe9, 0x0a]),
    "/project/broken.yaml": "ram: 1GiB\ncore: 5",
    "/project/locked.yaml": "ram: 1GiB",
    "/project/huge.yaml": new Uint8Array(5 * 2 ** 20),
  });
  const total = async (reference: string): Promise<number> =>
    (await resolveMachine(reference, host, "/project")).memory.total;

  test("names a preset or a file", async () => {
    expect(await total("rtx4090-64g")).toBe(64 * GiB);
    expect(await total("mine.yaml")).toBe(GiB);
    expect(await total("./mine.json")).toBe(2 * GiB);
    expect(await total("mine")).toBe(3 * GiB);
    expect(await total("utf16.yaml")).toBe(4 * GiB);
    expect(await total("/project/mine.yaml")).toBe(GiB);
  });

  test("means the preset unless it looks like a file", async () => {
    expect(await total("2x3090")).toBe(128 * GiB);
    expect(await total("./2x3090")).toBe(5 * GiB);
  });

  test.each([
    [
      "auto",
      '-:- This computer cannot be looked at from here, so machine "auto" is not known. Name a preset or a profile.',
    ],
    [
      "rtx4090-64gb",
      '-:- Unknown machine "rtx4090-64gb". Near: rtx4090-64g. `modelfile-lint machine` lists all.',
    ],
    [
      "3090",
      '-:- Unknown machine "3090". Near: rtx3090-64g, 2x3090, 4x3090. `modelfile-lint machine` lists all.',
    ],
    ["zzz", '-:- Unknown machine "zzz". `modelfile-lint machine` lists all.'],
    ["", '-:- Unknown machine "". `modelfile-lint machine` lists all.'],
    ["none.yaml", '-:- "/project/none.yaml" does not exist.'],
    ["folder.yaml", '-:- "/project/folder.yaml" is no file.'],
    ["latin1.yaml", '-:- "/project/latin1.yaml" is no UTF-8 text.'],
    ["locked.yaml", '-:- "/project/locked.yaml" cannot be read.'],
    ["huge.yaml", '-:- "/project/huge.yaml" has more than 4096 KiB.'],
    ["broken.yaml", '2:1 Unknown key "core". Did you mean "cores"?'],
  ])("%j", async (reference, expected) => {
    expect(await complaint(resolveMachine(reference, host, "/project"))).toBe(expected);
  });
});

test("the compiled validators are fresh", async () => {
  expect(await generateValidators(true)).toEqual([]);
});
