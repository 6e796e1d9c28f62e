import { type ProducerHandle, SharedProducer } from "@skein/batching";

export interface Reading {
  readonly station: number;
  readonly minute: number;
  readonly celsius: number;
}

/** Stands for decoding a file of measurements. Rows go on their way as they are found; the job does not wait for the database. */
export function decode(
  station: number,
  minutes: number,
  toReadings: ProducerHandle,
  toAlarms: ProducerHandle,
): void {
  // A producer is shared memory: a push costs some microseconds, and throws when the memory (1 MiB unless you say otherwise) is full.
  const readings = SharedProducer.attach<Reading>(toReadings);
  const alarms = SharedProducer.attach<Reading>(toAlarms);
  for (let minute = 0; minute < minutes; minute++) {
    const celsius = 15 + ((station * 7 + minute * 13) % 30);
    const reading = { station, minute, celsius };
    readings.push(reading);
    if (celsius > 42) alarms.push(reading);
  }
}
