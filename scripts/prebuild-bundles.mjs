// After tsc in `npm run build`: the workflow bundles that come with the package, so that workers need not make them.
import { product } from './lib/product.mjs';

const { prebuildWorkflowBundles } = await product('workers/workflow-bundle.js');
await prebuildWorkflowBundles();
