import { setTimeout } from "node:timers/promises";
import { type ProducerHandle, SharedProducer } from "@skein/batching";

export interface Reading {
  readonly station: number;
  readonly minute: number;
  readonly celsius: number;
}

/** Stands for decoding a file of measurements. Rows go on their way as they are found, as long as the database is not too far behind. */
export async function decode(
  station: number,
  minutes: number,
  toReadings: ProducerHandle,
  toAlarms: ProducerHandle,
): Promise<void> {
  const readings = SharedProducer.attach<Reading>(toReadings);
  const alarms = SharedProducer.attach<Reading>(toAlarms);
  for (let minute = 0; minute < minutes; minute++) {
    const celsius = 15 + ((station * 7 + minute * 13) % 30);
    const reading = { station, minute, celsius };
    await send(readings, reading);
    if (celsius > 42) await send(alarms, reading);
  }
}

/** A producer is shared memory, 1 MiB unless you say otherwise. A push costs some microseconds; while the memory is full, this waits. */
async function send(to: SharedProducer<Reading>, reading: Reading): Promise<void> {
  while (!to.tryPush(reading)) await setTimeout(1);
}
