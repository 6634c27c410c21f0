/** The constants of `@vmloom/memory`, for the cores of other packages. */
export * from '../src/constants';
