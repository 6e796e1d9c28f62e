/** The jobs. Synchronous calls are fine here: they block a thread of the pool, not the event loop of the server. */
import { database } from "./connection.ts";

export interface Customer {
  readonly customer: string;
  readonly total: number;
}

// Prepared once on each thread, when it imports this module.
const best = database.prepare(`
  SELECT customer, SUM(price * quantity) AS total FROM orders WHERE year = ?
  GROUP BY customer ORDER BY total DESC, customer LIMIT ?
`);

export function bestCustomers(year: number, limit: number): Customer[] {
  return best.all(year, limit) as unknown as Customer[];
}
