/**
 * The external interrupt of one privilege level of one hart, as its controller drives it (AIA 1.0, 5.2.1): a level,
 * and the priority number of what is pending, 1 the strongest; 0 when nothing with a number is.
 */
export interface ExternalSignal {
  set(level: boolean, priority: number): void;
}
