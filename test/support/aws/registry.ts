import { ServiceError } from './service-error.js';

type Json = Record<string, unknown>;

const SIZE = 250e6;

/** ECR: repositories of images that are named by digest. */
export class StandInRegistry {
  readonly #images: { readonly repository: string; readonly digest: string }[];

  /** @param uris as `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:…` */
  constructor(uris: readonly string[]) {
    this.#images = uris.flatMap((uri) => {
      const [, repository, digest] = /\/([^@]+)@(sha256:[0-9a-f]{64})$/.exec(uri) ?? [];
      return repository === undefined || digest === undefined ? [] : [{ repository, digest }];
    });
    this.#repositories = new Set(this.#images.map(({ repository }) => repository));
  }

  /** They stay when their last image is removed. */
  readonly #repositories: ReadonlySet<string>;

  readonly actions: Readonly<Record<string, (request: Json) => Json>> = {
    DescribeRepositories: ({ repositoryNames }) => ({
      repositories: (repositoryNames as readonly string[]).map((repositoryName) => {
        this.mustHave(repositoryName);
        const repositoryArn = `arn:aws:ecr:eu-central-1:123456789012:repository/${repositoryName}`;
        return { repositoryName, repositoryArn };
      }),
    }),
    ListTagsForResource: () => ({ tags: [] }),
    DescribeImages: ({ repositoryName, imageIds }) => {
      this.mustHave(String(repositoryName));
      const wanted = imageIds as readonly { imageDigest?: string }[] | undefined;
      const imageDetails = this.#images
        .filter(({ repository }) => repository === repositoryName)
        .filter(({ digest }) => wanted === undefined || wanted.some(({ imageDigest }) => imageDigest === digest))
        .map(({ repository, digest }) => ({ repositoryName: repository, imageDigest: digest, imageSizeInBytes: SIZE }));
      if (wanted !== undefined && imageDetails.length === 0) {
        throw new ServiceError('ImageNotFoundException', 'The image does not exist');
      }
      return { imageDetails };
    },
    BatchDeleteImage: ({ repositoryName, imageIds }) => {
      const failures: Json[] = [];
      for (const { imageDigest } of imageIds as readonly { imageDigest: string }[]) {
        const at = this.#images.findIndex(
          ({ repository, digest }) => repository === repositoryName && digest === imageDigest,
        );
        if (at < 0) failures.push({ imageId: { imageDigest }, failureCode: 'ImageNotFound' });
        else this.#images.splice(at, 1);
      }
      return { imageIds, failures };
    },
  };

  private mustHave(name: string): void {
    if (this.#repositories.has(name)) return;
    throw new ServiceError('RepositoryNotFoundException', `The repository ${name} does not exist`);
  }
}
