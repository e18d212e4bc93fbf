/**
 * A part of the weights in RAM is taken for safe up to this share of what is free. Beyond it the whole
 * file counts: ollama #10104 logs one buffer for all of it, although 21 layers were for the GPU.
 */
const safeShare = 0.7;

/** Whether `resident` bytes of weights leave too little of `room` bytes of RAM. */
export function presses(resident: number, room: number): boolean {
  return resident > safeShare * room;
}
