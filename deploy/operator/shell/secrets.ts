import { X509Certificate } from 'node:crypto';
import type { V1Secret } from '@kubernetes/client-node';
import type { TrainingJob } from '../resource/training-job.js';
import { hasCode } from './api-error.js';
import type { Api } from './api.js';
import { fieldManager } from './field-manager.js';
import { ownerOf } from './object-cache.js';
import { pathOf, secretResource } from './resources.js';
