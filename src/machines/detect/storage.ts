import type { Host } from "../../host.js";
import type { Machine } from "../machine.js";
import { exists, fileText } from "./look.js";

/** Where the service keeps its models after ollama.com/install.sh. */
const serviceFolder = "/usr/share/ollama/.ollama/models";

/** File systems whose bytes come over a network. */
const networked = /^(nfs4?|cifs|smb3|ceph|lustre|fuse\.(sshfs|s3fs|rclone|glusterfs))$/;

/** What the models folder lies on under Linux, by its mount; undefined where that does not say it. */
export async function modelStorage(
  host: Host,
  variable: (name: string) => string | undefined,
): Promise<Machine["storage"] | undefined> {
  const set = variable("OLLAMA_MODELS");
  const service = !set && (await exists(host, serviceFolder));
  const folder = set || (service ? serviceFolder : host.resolve("/", "~/.ollama/models"));
  const mounts = ((await fileText(host, "/proc/mounts")) ?? "").split("\n").flatMap((line) => {
    const [device = "", point = "", type = ""] = line
      .split(" ")
      .map((word) => word.replace(/\\040/g, " "));
    const holds = folder === point || folder.startsWith(point.endsWith("/") ? point : `${point}/`);
    return point !== "" && holds ? [{ device, type, length: point.length }] : [];
  });
  // Of mounts at one point the last one counts.
  const mount = mounts.reduce<(typeof mounts)[number] | undefined>(
    (best, one) => (best && best.length > one.length ? best : one),
    undefined,
  );
  if (!mount) return undefined;
  if (networked.test(mount.type)) return "network";
  if (mount.device.startsWith("/dev/nvme")) return "nvme";
  const [, disk] = /^\/dev\/(sd[a-z]+)\d*$/.exec(mount.device) ?? [];
  if (disk === undefined) return undefined;
  const spins = await fileText(host, `/sys/block/${disk}/queue/rotational`);
  if (spins === "0") return "ssd";
  // Disks of virtual machines claim to spin whatever is below them.
  const maker = await fileText(host, `/sys/block/${disk}/device/vendor`);
  return spins === "1" && maker === "ATA" ? "hdd" : undefined;
}
