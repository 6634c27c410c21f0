export {
  counters,
  receivedStream,
  roundTrips,
  sentStream,
  type ReceivedStream,
  type RoundTrips,
  type SentStream,
} from './output.js';
export { fptestLines, fptestReference } from './reference.js';
