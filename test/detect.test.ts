import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Host } from "../src/host.js";
import { detect, detectMachine, type Detection, type Platform } from "../src/machines/detect.js";
import { readEnvironment } from "../src/machines/detect/server.js";
import type { Machine } from "../src/machines/machine.js";
import { profileAsYaml } from "../src/machines/print.js";
import { readProfile } from "../src/machines/profile.js";
import { run } from "./command.js";
import { runs } from "./runs.js";

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** What a computer answers: programs by their command line, files by their path. */
interface Computer {
  programs: Map<string, string>;
  files: Map<string, string>;
}

/** A file of test/detect: a line of prose, then answers below `$ command` and `@ path`. */
function computer(name: string): Computer {
  const text = readFileSync(new URL(`detect/${name}.txt`, import.meta.url), "utf8");
  const programs = new Map<string, string>();
  const files = new Map<string, string>();
  for (const part of text.split(/^(?=[$@] \S)/m).slice(1)) {
    const [head = "", ...rest] = part.split("\n");
    (head.startsWith("$") ? programs : files).set(head.slice(2), rest.join("\n"));
  }
  return { programs, files };
}

function hostOf(
  { programs, files }: Computer,
  variables: Readonly<Record<string, string>> = {},
): Host {
  const below = (folder: string): string[] =>
    [...files.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1).split("/")[0]!);
  return {
    resolve: (folder, path) => path.replace(/^~/, "/home/me") || folder,
    stat: (path) =>
      Promise.resolve(
        files.has(path)
          ? { kind: "file", size: 0 }
          : below(path).length > 0
            ? { kind: "folder", size: 0 }
            : undefined,
      ),
    read: (path) => {
      const text = files.get(path);
      return text === undefined
        ? Promise.reject(new Error("ENOENT"))
        : Promise.resolve(new TextEncoder().encode(text));
    },
    list: (folder) => {
      const names = [...new Set(below(folder))].toReversed();
      return names.length > 0 ? Promise.resolve(names) : Promise.reject(new Error("ENOENT"));
    },
    variable: (name) => variables[name],
    run: (program, args) => {
      const line = [program, ...args].join(" ");
      const found = programs.get(line);
      if (found !== undefined) return Promise.resolve(found);
      // Long scripts are given by their beginning.
      const key = [...programs.keys()].find((one) => one.length > 30 && line.startsWith(one));
      return Promise.resolve(key === undefined ? undefined : programs.get(key));
    },
  };
}

const linux: Platform = {
  os: "linux",
  arch: "x64",
  memory: { total: 16 * GiB, free: 8 * GiB },
  cores: 64,
};

async function detected(
  name: string,
  variables: Readonly<Record<string, string>> = {},
  platform: Partial<Platform> = {},
): Promise<Detection> {
  const found = await detect(hostOf(computer(name), variables), { ...linux, ...platform });
  // Whatever is found can be pasted as a profile.
  const yaml = profileAsYaml(found.machine, found.notes, found.sources);
  expect(await readProfile(yaml, "m.yaml")).toEqual(found.machine);
  return found;
}

/** A GPU in one line: name, backend, MiB in all, MiB free, compute capability or target, driver. */
const lines = ({ machine }: Detection): string[] =>
  machine.gpus.map(({ name, backend, total, free, compute, driver, integrated }) =>
    [
      name,
      backend,
      `${Math.round(total / MiB)}/${Math.round(free / MiB)}`,
      compute ?? "-",
      driver ?? "-",
      ...(integrated ? ["integrated"] : []),
    ].join(" | "),
  );

const arm = { arch: "arm64" };
const mac = { os: "darwin", arch: "arm64" } as const;
const windows = { os: "windows" } as const;

describe("GPUs", () => {
  test.each<[string, Partial<Platform>, string[]]>([
    ["rtx4090", {}, ["GeForce RTX 4090 | cuda | 24564/23028 | 8.9 | 550.54.14"]],
    [
      "mixed-cards",
      {},
      [
        "GeForce RTX 3090 | cuda | 24576/24124 | 8.6 | 555.42.02",
        "GeForce RTX 4070 Ti | cuda | 12282/11994 | 8.9 | 555.42.02",
      ],
    ],
    ["wsl", {}, ["GeForce RTX 4060 Laptop | cuda | 8188/7056 | 8.9 | 560.94"]],
    [
      "old-driver",
      {},
      [
        "Tesla V100-SXM2-16GB | cuda | 16160/16157 | 7.0 | 418.226.00",
        "Tesla V100-SXM2-16GB | cuda | 16160/16157 | 7.0 | 418.226.00",
      ],
    ],
    ["kernel-only", {}, ["A10G | cuda | 23028/23028 | 8.6 | 535.183.01"]],
    ["a100-mig", {}, ["NVIDIA A100-SXM4-80GB MIG 3g.40gb | cuda | 38912/38912 | 8.0 | 535.183.01"]],
    ["jetson", arm, ["Jetson Orin Nano 8GB | cuda | 7619/5778 | 8.7 | 540.4.0 | integrated"]],
    ["gb10", arm, ["GB10 (DGX Spark) | cuda | 122565/115044 | 12.1 | 580.95.05 | integrated"]],
    [
      "mi300x",
      {},
      [
        "Instinct MI300X | rocm | 196592/196309 | gfx942 | 6.14.14",
        "Instinct MI300X | rocm | 196592/196592 | gfx942 | 6.14.14",
      ],
    ],
    [
      "rx7900xtx",
      {},
      [
        "Radeon RX 7900 XTX | rocm | 24560/23580 | gfx1100 | 6.10.5",
        "AMD Radeon Graphics | vulkan | 32537/32503 | gfx1036 | 6.10.5 | integrated",
      ],
    ],
    // ROCm has no kernels for gfx1031.
    ["rx6700xt", {}, ["Radeon RX 6700 XT | vulkan | 12272/11444 | gfx1031 | -"]],
    [
      "strix-halo",
      {},
      ["Ryzen AI Max+ 395 (Radeon 8060S) | rocm | 63967/63902 | gfx1151 | - | integrated"],
    ],
    [
      "radeon-780m",
      {},
      ["Ryzen 7x40/8x40 (Radeon 780M) | vulkan | 15872/9918 | gfx1103 | - | integrated"],
    ],
    [
      "arc-a770",
      {},
      [
        "AlderLake-S GT1 | vulkan | 24576/20480 | - | - | integrated",
        "Arc A770 16GB | vulkan | 15474/15474 | - | -",
      ],
    ],
    ["arc-b580", {}, ["Arc B580 | vulkan | 12216/12216 | - | -"]],
    ["macbook-m2", mac, ["Apple M2 | metal | 10923/10923 | - | - | integrated"]],
    ["macbook-m4-max", mac, ["Apple M4 Max 40-core | metal | 122880/122880 | - | - | integrated"]],
    [
      "windows",
      windows,
      [
        "GeForce RTX 4070 | cuda | 12282/10879 | 8.9 | 572.16",
        "Radeon RX 7900 XTX | rocm | 24560/24560 | gfx1100 | 32.0.12033.1030",
        "Intel(R) UHD Graphics 770 | vulkan | 8192/8192 | - | 31.0.101.4502 | integrated",
      ],
    ],
    // Neither /dev/dri nor /dev/kfd is there.
    ["container-v2", {}, []],
    ["container-v1", {}, []],
  ])("of %s", async (name, platform, expected) => {
    expect(lines(await detected(name, {}, platform))).toEqual(expected);
  });

  test("every computer described is looked at", () => {
    const files = readdirSync(new URL("detect", import.meta.url));
    expect(files.length).toBe(20);
    expect(files.every((file) => file.endsWith(".txt"))).toBe(true);
  });

  test.each<[string | undefined, string[]]>([
    [undefined, ["GeForce RTX 3090", "GeForce RTX 4070 Ti"]],
    ["1", ["GeForce RTX 4070 Ti"]],
    ["1,0", ["GeForce RTX 4070 Ti", "GeForce RTX 3090"]],
    [" 0 , 1", ["GeForce RTX 3090", "GeForce RTX 4070 Ti"]],
    ["GPU-bbbb", ["GeForce RTX 4070 Ti"]],
    ["GPU-aaaaaaaa-0000-0000-0000-000000000001", ["GeForce RTX 3090"]],
    ["-1", []],
    ["", []],
    ["0,-1,1", ["GeForce RTX 3090"]],
    ["7", []],
    ["GPU-dddd,0", []],
    ["0,0", ["GeForce RTX 3090"]],
  ])("CUDA_VISIBLE_DEVICES=%s", async (list, expected) => {
    const { machine, notes } = await detected(
      "mixed-cards",
      list === undefined ? {} : { CUDA_VISIBLE_DEVICES: list },
    );
    expect(machine.gpus.map(({ name }) => name)).toEqual(expected);
    expect(notes.some((note) => note.startsWith("CUDA_VISIBLE_DEVICES is "))).toBe(
      list !== undefined,
    );
  });

  test("the other instance of a split card", async () => {
    const found = await detected("a100-mig", { CUDA_VISIBLE_DEVICES: "MIG-cba663e8" });
    expect(lines(found)).toEqual([
      "NVIDIA A100-SXM4-80GB MIG 1g.10gb | cuda | 9728/9728 | 8.0 | 535.183.01",
    ]);
    expect(found.notes.join(" ")).toContain("one MIG instance at a time");
  });

  test("AMD's lists hide cards one after the other", async () => {
    const rocr = { ROCR_VISIBLE_DEVICES: "1,0" };
    expect(lines(await detected("rx7900xtx", rocr))[0]).toMatch(/^AMD Radeon Graphics/);
    const both = await detected("rx7900xtx", { ...rocr, HIP_VISIBLE_DEVICES: "1" });
    expect(both.machine.gpus.map(({ name }) => name)).toEqual(["Radeon RX 7900 XTX"]);
    expect((await detected("rx7900xtx", { HIP_VISIBLE_DEVICES: "" })).machine.gpus).toHaveLength(2);
    const serial = { ROCR_VISIBLE_DEVICES: "GPU-11c6c2a4e6fec7e9" };
    expect((await detected("mi300x", serial)).machine.gpus).toHaveLength(1);
  });

  test.each([
    ["10.3.0", "rocm", "gfx1030"],
    ["gfx1030", "rocm", "gfx1030"],
    ["9.0.10", "rocm", "gfx90a"],
    ["10.3", "vulkan", "gfx1031"],
    ["nonsense", "vulkan", "gfx1031"],
  ])("HSA_OVERRIDE_GFX_VERSION=%s", async (version, backend, compute) => {
    const { machine } = await detected("rx6700xt", { HSA_OVERRIDE_GFX_VERSION: version });
    expect(machine.gpus).toMatchObject([{ backend, compute }]);
  });

  test("GGML_VK_VISIBLE_DEVICES counts all and hides those of Vulkan", async () => {
    const countWith = async (list: string) =>
      (await detected("arc-a770", { GGML_VK_VISIBLE_DEVICES: list })).machine.gpus.length;
    expect(await countWith("1")).toBe(1);
    expect(await countWith("-1")).toBe(0);
    const rocm = await detected("rx7900xtx", { GGML_VK_VISIBLE_DEVICES: "-1" });
    expect(rocm.machine.gpus).toMatchObject([{ backend: "rocm" }]);
  });

  test("without the list of PCI ids and without the compute driver", async () => {
    const { programs, files } = computer("rx6700xt");
    programs.clear();
    const nameless = await detectMachine(hostOf({ programs, files }), linux);
    // Several cards of this target have such memory.
    expect(nameless.gpus).toMatchObject([{ name: "AMD GPU (gfx1031)", compute: "gfx1031" }]);
    for (const path of files.keys()) if (path.includes("/kfd/")) files.delete(path);
    const bare = await detectMachine(hostOf({ programs, files }), linux);
    expect(bare.gpus).toMatchObject([{ name: "AMD GPU", backend: "vulkan", integrated: false }]);
    expect(bare.gpus[0]).not.toHaveProperty("compute");
  });

  test("firmware that sets much memory aside for the processor's GPU", async () => {
    const { programs, files } = computer("strix-halo");
    const device = "/sys/class/drm/card0/device";
    files.set(`${device}/mem_info_vram_total`, String(96 * GiB));
    files.set(`${device}/mem_info_gtt_total`, String(16 * GiB));
    const { gpus } = await detectMachine(hostOf({ programs, files }), linux);
    expect(gpus).toMatchObject([
      { total: 96 * GiB, free: 96 * GiB - 138117120, integrated: true, backend: "rocm" },
    ]);
  });

  test("a Jetson that no list knows", async () => {
    const { programs, files } = computer("jetson");
    files.set("/proc/device-tree/model", "NVIDIA Jetson Orin NX Engineering Reference\0");
    files.set("/proc/meminfo", "MemTotal: 16000000 kB\nMemAvailable: 12000000 kB\n");
    programs.clear();
    const { gpus } = await detectMachine(hostOf({ programs, files }), { ...linux, ...arm });
    expect(gpus).toMatchObject([
      { name: "Jetson Orin NX Engineering Reference", compute: "8.7", total: 16000000 * KiB },
    ]);
  });

  test("a Mac with Intel's processor has none for Ollama", async () => {
    const { machine } = await detected("macbook-m2", {}, { os: "darwin", arch: "x64" });
    expect(machine.gpus).toEqual([]);
  });

  test("a container without NVIDIA's devices may not use the host's", async () => {
    const { programs, files } = computer("kernel-only");
    files.delete("/dev/nvidiactl");
    const { machine, notes } = await detect(hostOf({ programs, files }), linux);
    expect(machine.gpus).toEqual([]);
    expect(notes).toEqual([
      "The host has an NVIDIA GPU that this container may not use (docker run --gpus).",
    ]);
  });

  test("an NVIDIA card without NVIDIA's driver", async () => {
    const files = new Map([["/sys/class/drm/card0/device/vendor", "0x10de\n"]]);
    const { machine, notes } = await detect(hostOf({ programs: new Map(), files }), linux);
    expect(machine.gpus).toEqual([]);
    expect(notes).toEqual([
      "An NVIDIA GPU is there without NVIDIA's driver, so CUDA cannot use it.",
    ]);
  });

  test("notes say what is missing and what Ollama leaves out", async () => {
    expect((await detected("mixed-cards")).notes).toEqual([
      'The memory of "Graphics Device" is not known; add it to gpus by hand.',
    ]);
    expect((await detected("rx7900xtx")).notes).toEqual([
      "Ollama before 0.30 uses GPUs by Vulkan only where OLLAMA_VULKAN=1.",
      'Ollama leaves out "AMD Radeon Graphics", which is part of the processor, unless OLLAMA_IGPU_ENABLE=1.',
    ]);
    expect((await detected("strix-halo")).notes).toEqual([]);
    expect((await detected("windows", {}, windows)).notes[0]).toBe(
      'The memory of "AMD Radeon RX 9999 Future" is not known: Windows gives no more than 4 GiB. Add it to gpus by hand.',
    );
  });
});

describe("memory and cores", () => {
  test.each<[string, Partial<Platform>, Machine["memory"], number | undefined]>([
    ["rtx4090", {}, { total: 65758216 * KiB, free: 58211164 * KiB, swap: 8388604 * KiB }, 2],
    // What is free where the kernel does not say what is available; less than 1 MiB of swap is none.
    ["old-driver", {}, { total: 251815784 * KiB, free: 202815784 * KiB, swap: 0 }, undefined],
    // 3 GiB in use, of which 2 GiB are files that the kernel can drop; 2.5 processors.
    ["container-v2", {}, { total: 8 * GiB, free: 7 * GiB, swap: 0 }, 2],
    ["container-v1", {}, { total: 4 * GiB, free: 3 * GiB, swap: 0 }, 1],
    ["jetson", arm, { total: 7802004 * KiB, free: 5916460 * KiB, swap: 3900992 * KiB }, 2],
    ["macbook-m2", mac, { total: 16 * GiB, free: 354000 * 16384, swap: 0 }, 8],
    ["macbook-m4-max", mac, { total: 128 * GiB, free: 8 * GiB, swap: 0 }, 16],
    ["windows", windows, { total: 16 * GiB, free: 8 * GiB, swap: 7 * GiB }, 16],
  ])("of %s", async (name, platform, memory, cores) => {
    const { machine } = await detected(name, {}, platform);
    expect(machine.memory).toEqual(memory);
    expect(machine.cores).toBe(cores);
  });

  test("no more cores than the process may use", async () => {
    const { machine, sources } = await detected("rtx4090", {}, { cores: 1 });
    expect(machine.cores).toBe(1);
    expect(sources.cores).toBe("processors that this process may use");
  });

  test.each([
    ["/../../other", 62.71],
    ["/kubepods/pod", 2],
  ])("the limit of a group above: %s", async (path, gib) => {
    const { programs, files } = computer("rtx4090");
    files.set("/proc/self/cgroup", `0::${path}`);
    files.set("/sys/fs/cgroup/kubepods/memory.max", String(2 * GiB));
    files.set("/sys/fs/cgroup/kubepods/memory.current", String(3 * GiB));
    const { memory } = await detectMachine(hostOf({ programs, files }), linux);
    expect(memory.total / GiB).toBeCloseTo(gib, 2);
    if (gib === 2) expect(memory.free).toBe(0);
  });

  test("nothing but what Node tells", async () => {
    const empty = hostOf({ programs: new Map(), files: new Map() });
    for (const os of ["linux", "windows", "darwin"] as const) {
      const { machine, sources } = await detect(empty, { ...linux, os });
      expect(machine).toEqual({
        name: "CPU, 16.00 GiB",
        os,
        memory: { total: 16 * GiB, free: 8 * GiB, swap: 0 },
        gpus: [],
        server: {},
      });
      expect(sources.gpus).toBe("no tool and no driver tells of any");
    }
  });
});

describe("Ollama", () => {
  test("its release and its server's variables", async () => {
    const environment = {
      OLLAMA_NUM_PARALLEL: "4",
      OLLAMA_FLASH_ATTENTION: "1",
      OLLAMA_VULKAN: "",
    };
    const { machine, sources } = await detected("rtx4090", environment);
    expect(machine.ollama).toBe("0.32.15");
    // The service's own wins, and addresses are nobody's business.
    expect(machine.server).toEqual({
      OLLAMA_FLASH_ATTENTION: "1",
      OLLAMA_KV_CACHE_TYPE: "q8_0",
      OLLAMA_NUM_PARALLEL: "2",
    });
    expect(sources.server).toBe("systemctl show ollama");
    const own = await detected("wsl", { OLLAMA_CONTEXT_LENGTH: "8192", OLLAMA_API_KEY: "secret" });
    expect(own.machine.server).toEqual({ OLLAMA_CONTEXT_LENGTH: "8192" });
    expect(own.sources.server).toBe("the environment");
  });

  test.each([
    ["ollama version is 0.32.15\n", "0.32.15"],
    ["ollama version is v0.33.0-rc2\nWarning: client version is 0.32.0\n", "0.33.0-rc2"],
    [
      "Warning: could not connect to a running Ollama instance\nWarning: client version is 0.6.5",
      "0.6.5",
    ],
    ["ollama version is 0.0.0\n", undefined],
    ["ollama version is 0.13.0-5-gabcdef\n", undefined],
    ["command not found\n", undefined],
  ])("%j", async (text, expected) => {
    const programs = new Map([["ollama --version", text]]);
    const { ollama } = await detectMachine(hostOf({ programs, files: new Map() }), linux);
    expect(ollama).toBe(expected);
  });

  test.each([
    ["Environment=", []],
    ["Environment=A=1 B=2", ["A=1", "B=2"]],
    ["Environment=\"A=two words\" B='x y'", ["A=two words", "B=x y"]],
    ['Environment=A=a\\ b "B=say \\"so\\""', ["A=a b", 'B=say "so"']],
    ['Environment=A="unclosed', ["A="]],
    ["Unit ollama.service could not be found.", []],
  ])("the service's %s", (text, expected) => {
    expect([...readEnvironment(text)].map(([name, value]) => `${name}=${value}`)).toEqual(expected);
  });
});

/** What the models lie on, by /proc/mounts, other files, and OLLAMA_MODELS. */
async function mounted(mounts: string, more: Record<string, string> = {}, models?: string) {
  const files = new Map(Object.entries({ "/proc/mounts": mounts, ...more }));
  const variables = models === undefined ? undefined : { OLLAMA_MODELS: models };
  const host = hostOf({ programs: new Map(), files }, variables);
  return (await detectMachine(host, linux)).storage;
}

describe("storage", () => {
  const spinning = {
    "/sys/block/sdb/queue/rotational": "1\n",
    "/sys/block/sdb/device/vendor": "ATA     \n",
  };

  test("by the mount that holds the models", async () => {
    expect(await mounted("/dev/nvme0n1p2 / ext4 rw 0 0")).toBe("nvme");
    expect(await mounted("overlay / overlay rw 0 0")).toBeUndefined();
    const two =
      "/dev/nvme0n1p2 / ext4 rw 0 0\n/dev/sdb1 /data ext4 rw 0 0\nnas:/x /data/net nfs4 rw 0 0";
    expect(await mounted(two, spinning, "/data/models")).toBe("hdd");
    expect(await mounted(two, { "/sys/block/sdb/queue/rotational": "0" }, "/data")).toBe("ssd");
    expect(await mounted(two, spinning, "/database")).toBe("nvme");
    expect(await mounted(two, spinning, "/data/net/models")).toBe("network");
  });

  test("a virtual disk's word is not taken", async () => {
    const qemu = { "/sys/block/sda/queue/rotational": "1", "/sys/block/sda/device/vendor": "QEMU" };
    expect(await mounted("/dev/sda1 / ext4 rw 0 0", qemu)).toBeUndefined();
    expect(await mounted("/dev/vda1 / ext4 rw 0 0")).toBeUndefined();
  });
});

const refuse = () => Promise.reject(new Error("no"));

describe("broken answers", () => {
  test("of a host that throws at everything", async () => {
    const host: Host = {
      resolve: (_, path) => path,
      stat: refuse,
      read: refuse,
      list: refuse,
      variable: () => undefined,
      run: refuse,
    };
    expect((await detectMachine(host, linux)).gpus).toEqual([]);
    delete host.run;
    expect(
      (await detectMachine(host, { ...linux, os: "darwin", arch: "arm64" })).gpus,
    ).toMatchObject([{ name: "Apple GPU", backend: "metal" }]);
  });

  const computers = readdirSync(new URL("detect", import.meta.url)).map((file) =>
    file.replace(/\.txt$/, ""),
  );

  test("cut, doubled or filled with rubbish, they give a machine all the same", async () => {
    const damage = fc.record({
      name: fc.constantFrom(...computers),
      os: fc.constantFrom<Platform["os"]>("linux", "windows", "darwin"),
      arch: fc.constantFrom("x64", "arm64"),
      which: fc.nat(40),
      kind: fc.constantFrom("cut", "rubbish", "numbers", "words", "empty"),
      at: fc.nat(2000),
      rubbish: fc.string({ maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ name, os, arch, which, kind, at, rubbish }) => {
        const { programs, files } = computer(name);
        const keys = [...programs.keys(), ...files.keys()];
        const key = keys[which % keys.length]!;
        const answers = programs.has(key) ? programs : files;
        const text = answers.get(key)!;
        const place = at % (text.length + 1);
        const damaged = {
          cut: text.slice(0, place),
          rubbish: text.slice(0, place) + rubbish + text.slice(place),
          numbers: text.replaceAll(/\d+/g, "99999999999999999999"),
          words: text.replaceAll(/[a-z]+/gi, "null"),
          empty: "",
        }[kind];
        answers.set(key, damaged);
        const found = await detect(hostOf({ programs, files }), { ...linux, os, arch });
        const yaml = profileAsYaml(found.machine, found.notes, found.sources);
        expect(await readProfile(yaml, "m.yaml")).toEqual(found.machine);
      }),
      { numRuns: runs(100) },
    );
  });
});

describe("the command", () => {
  test("prints this computer as a profile to paste", async () => {
    const { code, stdout, stderr } = await run(["machine", "detect"]);
    expect([code, stderr]).toEqual([0, ""]);
    const machine = await readProfile(stdout, "m.yaml");
    expect(machine.memory.total).toBeGreaterThan(MiB);
    expect(stdout).toMatch(/^ram: .+ # .+$/m);
    const asJson = JSON.parse((await run(["machine", "auto", "--json"])).stdout) as Machine;
    expect(asJson.name).toBe(machine.name);
  });

  test("takes it for the machine of a file", async () => {
    const { stdout } = await run(["-", "--machine", "auto", "--json"], {
      input: "FROM llama3.1:8b\n",
    });
    const { files } = JSON.parse(stdout) as { files: { machine: string | null }[] };
    expect(files).toHaveLength(1);
    expect(files[0]?.machine).toMatch(/iB$/);
  });
});
