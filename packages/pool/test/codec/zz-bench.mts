import { Encoder } from "../../src/codec/encoder.ts";
import { Decoder } from "../../src/codec/decoder.ts";
import v8 from "node:v8";
import { isDeepStrictEqual } from "node:util";
const shared={idOf(){throw new Error('no')},fromId(){throw new Error('no')}} as any;
const enc=new Encoder(shared),dec=new Decoder(shared);
let sink:any;
function bench(f:()=>unknown,ms=250){let k=200;for(let i=0;i<2000;i++)sink=f();let best=Infinity;const endAll=performance.now()+ms;while(performance.now()<endAll){const t=process.hrtime.bigint();for(let i=0;i<k;i++)sink=f();const d=Number(process.hrtime.bigint()-t)/k;if(d<best)best=d;if(d*k<2e6)k*=2}return best}
const rec=(i:number)=>({id:i,name:"user "+i,email:`user${i}@example.com`,active:i%2===0,score:i*1.5,tags:["a","b"],address:{street:"Main St "+i,zip:"1000"+i,geo:{lat:48.1+i,lng:11.5+i}}});
const o200={id:12345,name:"Ada Lovelace",email:"ada@example.com",active:true,score:1.5,roles:["admin","user"],manager:null,address:{city:"London",zip:"N1 9GU"}};
const o1k={id:1,items:[rec(1),rec(2),rec(3),rec(4),rec(5)],total:5,next:null};
const cases:Record<string,unknown>={'[1]':[1],'["abc",2]':["abc",2],[`${JSON.stringify(o200).length} B object`]:[o200],[`${JSON.stringify(o1k).length} B object`]:[o1k],'64 KB bytes':[new Uint8Array(65536)],'64 KB string':["x".repeat(65536)],'1000 ints':[Array.from({length:1000},(_, i)=>i*7)],'1000 doubles':[Array.from({length:1000},(_, i)=>i*.7)],'Map 100':[new Map(Array.from({length:100},(_, i)=>["k"+i,i]))],'50 objects':[Array.from({length:50},(_, i)=>({i,x:1}))]};
for(let round=0;round<Number(process.argv[2]??1);round++)for(const [name,v] of Object.entries(cases)){
 const n=enc.encode(v,'args');const own=new Uint8Array(new SharedArrayBuffer(Math.ceil(n/8)*8+64));own.set(enc.bytes.subarray(0,n),8);
 if(!isDeepStrictEqual(dec.decode(own,8,n),v))console.log('MISMATCH',name);
 const ser=v8.serialize(v);
 const e=bench(()=>enc.encode(v,'args')),d=bench(()=>dec.decode(own,8,n)),vs=bench(()=>v8.serialize(v)),vd=bench(()=>v8.deserialize(ser)),sc=bench(()=>structuredClone(v));
 console.log(name.padEnd(16),`${n} B`.padEnd(9),'enc',e.toFixed(0).padStart(6),'dec',d.toFixed(0).padStart(6),'| v8',vs.toFixed(0).padStart(6),vd.toFixed(0).padStart(6),'| sc',sc.toFixed(0).padStart(6),'| ratio v8/own',((vs+vd)/(e+d)).toFixed(1),'sc/own',(sc/(e+d)).toFixed(1));
}
for(const depth of [500,1000,2000,3000,5000,8000,10000]){let o:any={};for(let i=0;i<depth;i++)o={o};let s='';try{const n=enc.encode(o,'result');s+='enc ok ';dec.decode(enc.bytes,0,n);s+='dec ok '}catch(e:any){s+=e.message.slice(0,60)}try{structuredClone(o);s+=' sc ok'}catch(e){s+=' sc fail'}console.log(depth,s)}
