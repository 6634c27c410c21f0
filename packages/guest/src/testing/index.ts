export {
  counters,
  receivedStream,
  roundTrips,
  sentStream,
  type ReceivedStream,
  type RoundTrips,
  type SentStream,
} from './output.js';
