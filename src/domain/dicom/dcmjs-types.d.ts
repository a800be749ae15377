/** The part of dcmjs that the product uses; the package ships no types. Only `dcmjs.ts` imports it. */
declare module 'dcmjs' {
  export interface DcmjsElement {
    vr: string;
    Value: unknown[];
  }
  export type DcmjsDict = Record<string, DcmjsElement>;

  interface DcmjsFile {
    meta: DcmjsDict;
    dict: DcmjsDict;
    write(options?: { allowInvalidVRLength?: boolean; fragmentMultiframe?: boolean }): ArrayBuffer;
  }

  interface Logger {
    setLevel(level: 'silent', persist?: boolean): void;
  }

  const dcmjs: {
    log: Logger & { getLogger(name: string): Logger };
    data: {
      DicomMessage: {
        readFile(buffer: ArrayBuffer, options?: { ignoreErrors?: boolean; noCopy?: boolean }): DcmjsFile;
      };
      DicomDict: new (meta: DcmjsDict) => DcmjsFile;
    };
  };
  export default dcmjs;
}
