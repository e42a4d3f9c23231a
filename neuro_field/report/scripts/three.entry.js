// What the report's view uses of three.js.  three.min.js is made from this file, by npm, with:
//   npm install three@0.187.0 esbuild@0.28.2
//   npx esbuild three.entry.js --bundle --minify --format=iife --global-name=THREE --legal-comments=none \
//     --banner:js="/* three.js 0.187.0, MIT licence, (c) 2010-2026 three.js authors: LICENSE-three */" --outfile=three.min.js
export {
  AmbientLight,
  BufferAttribute,
  BufferGeometry,
  ColorManagement,
  ConeGeometry,
  CylinderGeometry,
  DirectionalLight,
  DoubleSide,
  EdgesGeometry,
  Group,
  LinearSRGBColorSpace,
  LineBasicMaterial,
  LineSegments,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  MeshLambertMaterial,
  OrthographicCamera,
  Raycaster,
  RingGeometry,
  Scene,
  Vector2,
  Vector3,
  WebGLRenderer,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
